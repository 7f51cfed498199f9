//! The part of the Compose file format that we use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::component::Component;
use crate::stack::ContainerSpec;

#[derive(Serialize)]
pub(super) struct ComposeFile {
    pub(super) name: String,
    pub(super) services: BTreeMap<Component, Service>,
    pub(super) networks: BTreeMap<String, Driver>,
    pub(super) volumes: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(rename = "x-moko-mon")]
    pub(super) written: Written,
}

/// What an earlier rendering says of itself; the rest of it does not matter.
#[derive(Deserialize)]
pub(super) struct Earlier {
    #[serde(rename = "x-moko-mon")]
    pub(super) written: Written,
}

/// The files beside the main one, so that the next rendering knows which are its own. Compose ignores `x-` keys.
#[derive(Serialize, Deserialize)]
pub(super) struct Written {
    pub(super) files: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Driver {
    pub(super) driver: &'static str,
}

#[derive(Serialize)]
pub(super) struct Service {
    pub(super) image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pull_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) entrypoint: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) command: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) environment: Vec<String>,
    pub(super) user: String,
    pub(super) ports: Vec<PublishedPort>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) extra_hosts: Vec<String>,
    pub(super) volumes: Vec<Mount>,
    pub(super) healthcheck: Healthcheck,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) read_only: bool,
    pub(super) tmpfs: Vec<&'static str>,
    pub(super) cap_drop: Vec<&'static str>,
    pub(super) security_opt: Vec<&'static str>,
    #[serde(flatten)]
    pub(super) limits: Limits,
    pub(super) restart: &'static str,
    pub(super) stop_grace_period: String,
    pub(super) logging: Logging,
}

/// The long form: the short one would need brackets around an IPv6 address.
#[derive(Serialize)]
pub(super) struct PublishedPort {
    pub(super) host_ip: String,
    pub(super) published: String,
    pub(super) target: u16,
    pub(super) protocol: &'static str,
}

#[derive(Serialize)]
pub(super) struct Mount {
    r#type: &'static str,
    source: String,
    target: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    bind: Option<Bind>,
}

#[derive(Serialize)]
struct Bind {
    /// A host that labels files lets a container read only what is labelled for it; on others this does nothing.
    selinux: &'static str,
}

impl Mount {
    /// A folder beside the main file, read-only. A folder and never a single file: a file that is replaced while it is
    /// mounted stays the old one for the container.
    pub(super) fn folder(source: &str, target: &str) -> Self {
        Self {
            r#type: "bind",
            source: format!("./{source}"),
            target: target.to_owned(),
            read_only: true,
            bind: Some(Bind { selinux: "z" }),
        }
    }

    /// A named volume.
    pub(super) fn named(source: String, target: &str) -> Self {
        Self { r#type: "volume", source, target: target.to_owned(), read_only: false, bind: None }
    }
}

#[derive(Serialize)]
pub(super) struct Healthcheck {
    pub(super) test: Vec<String>,
    pub(super) interval: &'static str,
    pub(super) timeout: &'static str,
    pub(super) retries: u8,
    pub(super) start_period: &'static str,
}

#[derive(Serialize)]
pub(super) struct Limits {
    #[serde(rename = "mem_limit")]
    memory: String,
    /// Equal to `memory`: no swap beyond it.
    #[serde(rename = "memswap_limit")]
    memory_and_swap: String,
    #[serde(rename = "pids_limit")]
    processes: i64,
}

impl Limits {
    pub(super) fn of(container: &ContainerSpec) -> Self {
        const MIB: u64 = 1024 * 1024;
        let memory = match container.memory {
            bytes if bytes.is_multiple_of(MIB) => format!("{}m", bytes / MIB),
            bytes => format!("{bytes}b"),
        };
        Self { memory: memory.clone(), memory_and_swap: memory, processes: container.pids }
    }
}

#[derive(Serialize)]
pub(super) struct Logging {
    pub(super) driver: &'static str,
    pub(super) options: LoggingOptions,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct LoggingOptions {
    pub(super) max_size: &'static str,
    pub(super) max_file: &'static str,
}

/// A text as Compose has to be told it: a dollar sign would begin a variable.
pub(super) fn escape(text: &str) -> String {
    text.replace('$', "$$")
}
