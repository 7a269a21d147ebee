//! A base URL as connections and requests need it.

use std::{cell::OnceCell, io, net::SocketAddr};

use reqwest::Url;

/// The address that connections are made to, and the `host` header and path prefix of requests.
#[derive(Debug)]
pub(super) struct Host {
    /// The name or address, without brackets.
    name: String,
    port: u16,
    /// Both as in the `host` header.
    pub(super) authority: String,
    /// What the base URL has before the API's own paths.
    pub(super) path: String,
    addresses: OnceCell<Vec<SocketAddr>>,
}

impl Host {
    /// Of a URL, and of the same without what requests' paths begin with.
    pub(super) fn of(url: &Url, base_url: &str) -> Option<Self> {
        let name = url.host_str()?;
        let authority = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        let path = Url::parse(base_url).ok()?.path().trim_end_matches('/').to_owned();
        let (name, port) = (name.trim_matches(['[', ']']).to_owned(), url.port_or_known_default()?);
        Some(Self { name, port, authority, path, addresses: OnceCell::new() })
    }

    /// Its addresses, asked for once.
    pub(super) async fn addresses(&self) -> io::Result<&[SocketAddr]> {
        if let Some(addresses) = self.addresses.get() {
            return Ok(addresses);
        }
        let found = tokio::net::lookup_host((self.name.as_str(), self.port)).await?.collect();
        Ok(self.addresses.get_or_init(|| found))
    }
}
