//! Label names, in one place: what marks an object as ours, and what makes Compose list it.

use std::collections::HashMap;

use super::archive::digest;
use crate::component::Component;

/// The project an object belongs to. An object without it is foreign and never touched.
pub const PROJECT: &str = "moko-mon.project";
/// The component a container or volume serves.
pub const COMPONENT: &str = "moko-mon.component";
/// The JSON of the [`crate::stack::ContainerSpec`] that a container was created from.
pub const SPEC: &str = "moko-mon.spec";
/// The id of the image that a container was created from, as the engine told it when asked for the image: the id in
/// a list of containers is another one on some image stores.
pub const IMAGE_ID: &str = "moko-mon.image-id";
/// What a volume is for.
pub const VOLUME: &str = "moko-mon.volume";
/// The moko-mon version that created the object.
pub const VERSION: &str = "moko-mon.version";
/// Marks a short-lived container that only checks something.
pub const CHECK: &str = "moko-mon.check";

/// The labels of anything of a project; `docker compose ls` and desktop tools group by the Compose one.
#[must_use]
pub fn project(project: &str) -> HashMap<String, String> {
    HashMap::from([
        (PROJECT.to_owned(), project.to_owned()),
        (VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("com.docker.compose.project".to_owned(), project.to_owned()),
    ])
}

/// The labels of the network.
#[must_use]
pub fn network(project_name: &str) -> HashMap<String, String> {
    let mut labels = project(project_name);
    labels.insert("com.docker.compose.network".to_owned(), "default".to_owned());
    labels
}

/// The labels of a volume.
#[must_use]
pub fn volume(project_name: &str, component: Component, kind: &str) -> HashMap<String, String> {
    let mut labels = project(project_name);
    labels.insert(COMPONENT.to_owned(), component.to_string());
    labels.insert(VOLUME.to_owned(), kind.to_owned());
    labels.insert("com.docker.compose.volume".to_owned(), format!("{component}-{kind}"));
    labels
}

/// The labels of a container that helps a stack without being a component of it.
#[must_use]
pub fn helper(project_name: &str, role: &str) -> HashMap<String, String> {
    let mut labels = project(project_name);
    labels.insert(COMPONENT.to_owned(), role.to_owned());
    labels.insert("com.docker.compose.service".to_owned(), role.to_owned());
    labels
}

/// The labels of a container.
#[must_use]
pub fn container(project_name: &str, component: Component, spec: String, image_id: &str) -> HashMap<String, String> {
    let mut labels = project(project_name);
    labels.insert(COMPONENT.to_owned(), component.to_string());
    // `docker compose ls` counts only containers with a hash.
    labels.insert("com.docker.compose.config-hash".to_owned(), digest(spec.as_bytes()));
    labels.insert(SPEC.to_owned(), spec);
    labels.insert(IMAGE_ID.to_owned(), image_id.to_owned());
    labels.insert("com.docker.compose.service".to_owned(), component.to_string());
    labels.insert("com.docker.compose.container-number".to_owned(), "1".to_owned());
    labels.insert("com.docker.compose.oneoff".to_owned(), "False".to_owned());
    labels
}
