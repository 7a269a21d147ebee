//! From a recipe to the container that is asked for: pure, so that a test can show it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use record::recipe::{self, Gpus, Ipc};
use testcontainers::{
    ContainerRequest, GenericImage, ImageExt,
    bollard::models::{DeviceRequest, HostConfig, HostConfigLogConfig},
    core::{AccessMode, IntoContainerPort, Mount},
};

use super::docker::negotiate_within_start;
use crate::engine::placeholders::Placeholders;

/// How long Docker may take to start a container. A first start unpacks nothing any more, but a GPU's hook and a slow disk take their time.
const START_LIMIT: Duration = Duration::from_mins(5);

/// The container that is asked for, every placeholder filled in. It holds secrets, so it cannot be printed.
#[derive(Clone)]
pub(super) struct ContainerSpec {
    /// The image's id, `sha256:...`.
    pub(super) image_id: String,
    /// What replaces the image's entrypoint: one program, or empty to clear it.
    pub(super) entrypoint: Option<String>,
    pub(super) command: Vec<String>,
    /// The environment, secrets included.
    pub(super) env: Vec<(String, String)>,
    /// Folders of the host.
    pub(super) mounts: Vec<recipe::Mount>,
    pub(super) port: u16,
    /// The port on the host's loopback address.
    pub(super) host_port: u16,
    /// The recipe's `[container]`, for its other settings.
    pub(super) container: recipe::Container,
    /// The processors that it may use, `0-6`; none leaves it all.
    pub(super) cpus: Option<String>,
    pub(super) labels: Vec<(&'static str, String)>,
}

impl ContainerSpec {
    /// The specification of a recipe's container. The error says which placeholder cannot be filled in.
    pub(super) fn new(
        container: &recipe::Container,
        placeholders: &Placeholders,
        secrets: &[(String, String)],
    ) -> Result<Self, String> {
        let placeholders = Placeholders { port: Some(container.port), ..placeholders.clone() };
        let fill = |text: &String| placeholders.fill(text);
        let (entrypoint, before) = split_entrypoint(container.entrypoint.as_deref());
        let command = before.iter().chain(&container.command).map(fill).collect::<Result<_, _>>()?;
        let env =
            container.env.iter().map(|(name, value)| Ok((name.clone(), fill(value)?))).collect::<Result<Vec<_>, String>>()?;
        let mounts = container.mounts.iter().map(|mount| Ok(recipe::Mount { source: fill(&mount.source)?, ..mount.clone() }));
        Ok(Self {
            image_id: String::new(),
            entrypoint: entrypoint.as_ref().map(fill).transpose()?,
            command,
            env: env.into_iter().chain(secrets.iter().cloned()).collect(),
            mounts: mounts.collect::<Result<_, String>>()?,
            port: container.port,
            host_port: container.host_port,
            container: container.clone(),
            cpus: None,
            labels: Vec::new(),
        })
    }

    /// The request to testcontainers, which waits for nothing: readiness is a real token, and asked for elsewhere.
    pub(super) fn request(self) -> ContainerRequest<GenericImage> {
        let (name, tag) = self.image_id.split_once(':').unwrap_or(("", &self.image_id));
        let image = GenericImage::new(name, tag);
        let image = match &self.entrypoint {
            Some(program) => image.with_entrypoint(program),
            None => image,
        };
        let container = &self.container;
        let mut request = image
            .with_cmd(self.command)
            .with_labels(self.labels)
            .with_mapped_port(self.host_port, self.port.tcp())
            .with_startup_timeout(START_LIMIT);
        for (name, value) in self.env {
            request = request.with_env_var(name, value);
        }
        for mount in self.mounts {
            let access = if mount.writable { AccessMode::ReadWrite } else { AccessMode::ReadOnly };
            request = request.with_mount(Mount::bind_mount(mount.source, mount.target).with_access_mode(access));
        }
        for (name, limit) in &container.ulimits {
            request = request.with_ulimit(name, limit.soft, Some(limit.hard));
        }
        if let Some(mib) = container.shm_mib {
            request = request.with_shm_size(u64::from(mib) << 20);
        }
        if container.gpus == Gpus::All {
            request = request.with_device_requests(vec![every_gpu()]);
        }
        let (container, cpus) = (Arc::new(self.container), self.cpus);
        request.with_host_config_modifier(move |host| {
            negotiate_within_start();
            complete_host_config(host, &container);
            host.cpuset_cpus.clone_from(&cpus);
        })
    }
}

/// Docker's entrypoint is a list, testcontainers' one program: the rest goes before the arguments, which comes to the same.
fn split_entrypoint(entrypoint: Option<&[String]>) -> (Option<String>, &[String]) {
    match entrypoint {
        None => (None, &[]),
        Some([]) => (Some(String::new()), &[]),
        Some([program, rest @ ..]) => (Some(program.clone()), rest),
    }
}

/// What `docker run --gpus all` asks for.
fn every_gpu() -> DeviceRequest {
    DeviceRequest {
        driver: Some("nvidia".to_owned()),
        count: Some(-1),
        capabilities: Some(vec![vec!["gpu".to_owned()]]),
        ..DeviceRequest::default()
    }
}

/// Settings that testcontainers does not offer.
fn complete_host_config(host: &mut HostConfig, container: &recipe::Container) {
    for binding in host.port_bindings.iter_mut().flat_map(|ports| ports.values_mut()).flatten().flatten() {
        // Otherwise the engine would be open to the network, past many a firewall.
        binding.host_ip = Some("127.0.0.1".to_owned());
    }
    host.ipc_mode = Some(match container.ipc {
        Ipc::Private => "private".to_owned(),
        Ipc::Host => "host".to_owned(),
    });
    // The daemon's own settings may rotate it, which leaves gaps in what is followed, or let it fill the disk, or not keep it at all.
    let options = [("max-size", "512m"), ("max-file", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    host.log_config = Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(HashMap::from(options)) });
    if let Some(mib) = container.memory_limit_mib {
        // The same with swap: an engine that swaps is measured as a disk.
        host.memory = Some(i64::from(mib) << 20);
        host.memory_swap = host.memory;
    }
}

/// The command line that comes of it, as a record may show it: what the recipe leaves to the image is the image's own.
pub(super) fn public_command(
    container: &recipe::Container,
    placeholders: &Placeholders,
    (image_entrypoint, image_command): (&[String], &[String]),
) -> Vec<String> {
    let placeholders = Placeholders { port: Some(container.port), ..placeholders.clone() };
    let shown = |words: &[String]| words.iter().map(|word| placeholders.fill_public(word)).collect::<Vec<_>>();
    let mut command = container.entrypoint.as_deref().map_or_else(|| image_entrypoint.to_vec(), shown);
    // An entrypoint of one's own makes Docker forget the image's arguments.
    if container.command.is_empty() && container.entrypoint.is_none() {
        command.extend_from_slice(image_command);
    }
    command.extend(shown(&container.command));
    command
}

#[cfg(test)]
mod tests {
    use testcontainers::bollard::models::PortBinding;

    use super::*;
    use crate::engine::container::tests::recipe;

    const FULL: &str = r#"
image = "vllm/vllm-openai:v1"
entrypoint = ["bash", "-c"]
command = ["serve ${MODEL} --revision ${REVISION} --port ${PORT}"]
env = { VLLM_CACHE_ROOT = "/cache/${REVISION}" }
mounts = [{ source = "${HF_CACHE}", target = "/hf", writable = true }, { source = "${RECIPES}/x.yml", target = "/x.yml" }]
port = 8000
shm_mib = 1024
ipc = "host"
ulimits = { memlock = { soft = -1, hard = -1 } }
memory_limit_mib = 512
"#;

    fn placeholders() -> Placeholders {
        Placeholders { recipes: "/recipes".into(), hf_cache: Some("/hf".into()), ..Placeholders::default() }
            .for_model(&recipe(FULL, "source = \"owner/name\"\nrevision = \"abc\"").model)
    }

    #[test]
    fn recipe_becomes_container_request() {
        let container = recipe(FULL, "").container.unwrap();
        let secrets = [("HF_TOKEN".to_owned(), "hunter2".to_owned())];
        let mut wanted = ContainerSpec::new(&container, &placeholders(), &secrets).unwrap();
        wanted.image_id = "sha256:0123".to_owned();
        wanted.host_port = 40_000;
        wanted.labels = vec![("sparkgauge.run", "x".to_owned())];
        let request = wanted.request();
        assert_eq!(request.descriptor(), "sha256:0123");
        let mounts = request.mounts().map(|mount| (mount.source(), mount.target(), mount.access_mode()));
        let shown = [
            format!("{:?}", request.entrypoint()),
            format!("{:?}", request.cmd().collect::<Vec<_>>()),
            format!("{:?}", request.env_vars().collect::<std::collections::BTreeMap<_, _>>()),
            format!("{:?}", mounts.collect::<Vec<_>>()),
            format!("{:?} {:?} {:?}", request.ports(), request.shm_size(), request.labels()),
        ];
        insta::assert_snapshot!(shown.join("\n"), @r#"
        Some("bash")
        ["-c", "serve owner/name --revision abc --port 8000"]
        {"HF_TOKEN": "hunter2", "VLLM_CACHE_ROOT": "/cache/abc"}
        [(Some("/hf"), Some("/hf"), ReadWrite), (Some("/recipes/x.yml"), Some("/x.yml"), ReadOnly)]
        Some([PortMapping { host_port: 40000, container_port: Tcp(8000) }]) Some(1073741824) {"sparkgauge.run": "x"}
        "#);
    }

    #[test]
    fn host_config_sets_loopback_port_ipc_and_memory_without_swap() {
        let bindings =
            HashMap::from([("8000/tcp".to_owned(), Some(vec![PortBinding { host_ip: None, host_port: Some("1".to_owned()) }]))]);
        let mut host = HostConfig { port_bindings: Some(bindings), ..HostConfig::default() };
        complete_host_config(&mut host, &recipe(FULL, "").container.unwrap());
        let binding = host.port_bindings.unwrap()["8000/tcp"].clone().unwrap();
        assert_eq!(binding[0].host_ip.as_deref(), Some("127.0.0.1"));
        assert_eq!((host.ipc_mode.as_deref(), host.memory, host.memory_swap), (Some("host"), Some(512 << 20), Some(512 << 20)));
        let log = host.log_config.unwrap();
        let options = log.config.unwrap();
        assert_eq!((log.typ.as_deref(), &*options["max-size"], &*options["max-file"]), (Some("json-file"), "512m", "1"));
        let mut host = HostConfig::default();
        complete_host_config(&mut host, &recipe("image = \"x:1\"\nport = 1", "").container.unwrap());
        assert_eq!((host.ipc_mode.as_deref(), host.memory), (Some("private"), None));
    }

    #[test]
    fn entrypoint_is_kept_replaced_or_cleared() {
        let own = (&["serve".to_owned()][..], &["--default".to_owned()][..]);
        let check = |lines: &str, wanted: Option<&str>, command: &[&str], shown: &[&str]| {
            let container = recipe(&format!("image = \"x:1\"\nport = 7\n{lines}"), "").container.unwrap();
            let asked = ContainerSpec::new(&container, &placeholders(), &[]).unwrap();
            assert_eq!(
                (asked.entrypoint.as_deref(), asked.command),
                (wanted, command.iter().map(|&word| word.to_owned()).collect())
            );
            assert_eq!(public_command(&container, &placeholders(), own), shown, "{lines}");
        };
        check("", None, &[], &["serve", "--default"]);
        check(
            "command = [\"${PORT}\", \"${MODEL}\", \"${RECIPES}\"]",
            None,
            &["7", "owner/name", "/recipes"],
            &["serve", "7", "owner/name", "${RECIPES}"],
        );
        check("entrypoint = [\"a\", \"b\"]", Some("a"), &["b"], &["a", "b"]);
        check("entrypoint = []\ncommand = [\"c\"]", Some(""), &["c"], &["c"]);
    }

    #[test]
    fn unknown_placeholder_in_request_is_named() {
        let container =
            recipe("image = \"x:1\"\nport = 7\nmounts = [{ source = \"${CACHE}/x\", target = \"/x\" }]", "").container.unwrap();
        assert!(ContainerSpec::new(&container, &placeholders(), &[]).is_err_and(|why| why.contains("XDG_CACHE_HOME")));
    }
}
