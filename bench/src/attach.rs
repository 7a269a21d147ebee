//! Servers that already run.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use harness::{
    dialect::dialect,
    engine::attach::{AttachedEngine, choose_model},
    http::{ApiKey, HttpEndpoint, HttpOptions},
    machine,
};
use record::{Machine, Recipe, recipe::AttachTarget};
use url::{Host, Url};

use crate::{
    BenchError, UsageError,
    recipe_engine::{idle_ns, secret},
    setup::Setup,
};

/// A server that a recipe names, and the recipe with what the server said of its model: its name where the recipe leaves that open, and the
/// longest context.
pub(crate) async fn attach(setup: &Setup, recipe: Recipe, attach: &AttachTarget) -> Result<(AttachedEngine, Recipe), BenchError> {
    let mut recipe = recipe;
    if recipe.model.id.is_empty() || recipe.model.max_context.is_none() {
        let query_endpoint = endpoint(&recipe, attach)?;
        let requested_model = Some(recipe.model.id.as_str()).filter(|id| !id.is_empty());
        let served = setup.unless_stopped(choose_model(&query_endpoint, &attach.url, requested_model)).await??;
        recipe.model.id = served.id;
        recipe.model.max_context = recipe.model.max_context.or(served.max_model_len);
    }
    let engine = AttachedEngine::new(attach.url.clone(), endpoint(&recipe, attach)?);
    Ok((engine, recipe))
}

fn endpoint(recipe: &Recipe, attach: &AttachTarget) -> Result<HttpEndpoint, BenchError> {
    let key = match &attach.api_key_env {
        Some(name) => Some(secret(name).ok_or_else(|| UsageError(format!("the environment variable {name} is not set")))?),
        None => None,
    };
    let mut options =
        HttpOptions { api_key: key.map(ApiKey::new), metrics_path: recipe.metrics_path.clone(), ..HttpOptions::default() };
    options.idle_ns = idle_ns(recipe).unwrap_or(options.idle_ns);
    Ok(HttpEndpoint::new(&attach.url, dialect(recipe.dialect), &recipe.model.id, options)?)
}

/// The machine of a server. One elsewhere cannot be looked at from here.
pub(crate) fn machine_of(url: &str) -> Machine {
    if is_this_machine(url) { machine::detect() } else { Machine { name: "remote, unknown".to_owned(), ..Machine::default() } }
}

/// Whether a URL names this machine: by an address that is its own, or by the one name that always means it, `localhost` (RFC 6761, section
/// 6.3, which gives it its subdomains too). What another name stands for may differ tomorrow, so it counts as elsewhere.
fn is_this_machine(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(Host::Ipv4(address)) => is_own(address.into()),
        Some(Host::Ipv6(address)) => is_own(address.to_canonical()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// Whether an address is one of this machine's. A datagram socket that is connected sends nothing, but takes the address from which it
/// would: to one's own, that is the same.
fn is_own(address: IpAddr) -> bool {
    if address.is_loopback() || address.is_unspecified() {
        return true;
    }
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, DISCARD))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == address)
}

/// The port whose service throws away what it gets (RFC 863): any would do.
const DISCARD: u16 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_machine_is_recognised_by_its_host() {
        for here in [
            "http://127.0.0.1:8000",
            "http://127.9.9.9/v1",
            "http://localhost:8000/v1",
            "http://LOCALHOST",
            "http://localhost.:1",
            "http://a.localhost",
            "http://[::1]:8000",
            "http://[::ffff:127.0.0.1]:8000",
            "http://0.0.0.0:8000",
        ] {
            assert!(is_this_machine(here), "{here}");
        }
        for elsewhere in [
            "http://localhost.lab:8000",
            "http://my-localhost:8000",
            "http://spark.lab/127.0.0.1",
            "http://spark.lab:8000/?via=localhost",
            "http://127.0.0.1.nip.io",
            "http://192.0.2.1:8000",
            "http://[2001:db8::1]:8000",
            "localhost:8000",
            "no url",
        ] {
            assert!(!is_this_machine(elsewhere), "{elsewhere}");
        }
    }
}
