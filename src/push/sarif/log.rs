//! The part of a SARIF log that counts findings; everything else in it is passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct Log {
    pub(super) runs: Vec<Run>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) tool: Tool,
    /// `None` where the tool did not look for any.
    #[serde(default)]
    pub(super) results: Option<Vec<FoundResult>>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) artifacts: Vec<Artifact>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) invocations: Vec<Invocation>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tool {
    pub(super) driver: Component,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) extensions: Vec<Component>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Component {
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) default_configuration: Configuration,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) properties: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Configuration {
    #[serde(default)]
    pub(super) level: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    #[serde(default)]
    pub(super) execution_successful: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FoundResult {
    #[serde(default)]
    pub(super) rule_id: Option<String>,
    #[serde(default)]
    pub(super) rule_index: Option<i64>,
    #[serde(default)]
    pub(super) rule: Option<RuleReference>,
    #[serde(default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) level: Option<String>,
    #[serde(default)]
    pub(super) message: Option<Message>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) locations: Vec<Location>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) fingerprints: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) partial_fingerprints: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) suppressions: Vec<Suppression>,
    #[serde(default)]
    pub(super) baseline_state: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) properties: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleReference {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) index: Option<i64>,
    #[serde(default)]
    pub(super) tool_component: Option<ComponentReference>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ComponentReference {
    #[serde(default)]
    pub(super) index: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) text: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    #[serde(default)]
    pub(super) physical_location: Option<PhysicalLocation>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) logical_locations: Vec<LogicalLocation>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    #[serde(default)]
    pub(super) artifact_location: Option<ArtifactLocation>,
    #[serde(default)]
    pub(super) region: Option<Region>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogicalLocation {
    #[serde(default)]
    pub(super) fully_qualified_name: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Artifact {
    #[serde(default)]
    pub(super) location: Option<ArtifactLocation>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ArtifactLocation {
    #[serde(default)]
    pub(super) uri: Option<String>,
    #[serde(default)]
    pub(super) index: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    #[serde(default)]
    pub(super) start_line: Option<i64>,
    #[serde(default)]
    pub(super) start_column: Option<i64>,
    #[serde(default)]
    pub(super) snippet: Option<Message>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Suppression {
    #[serde(default)]
    pub(super) status: Option<String>,
}

/// Tools write `null` where they have nothing to say.
fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// The item at an index, which is -1 where there is none.
fn at<T>(items: &[T], index: Option<i64>) -> Option<&T> {
    items.get(usize::try_from(index?).ok()?)
}

impl Run {
    /// The rule of a result, from its index or by its id.
    pub(super) fn rule_of(&self, result: &FoundResult) -> Option<&Rule> {
        let reference = result.rule.as_ref();
        let extension = reference.and_then(|rule| rule.tool_component.as_ref()).and_then(|of| of.index);
        let component = at(&self.tool.extensions, extension).unwrap_or(&self.tool.driver);
        let index = result.rule_index.or_else(|| reference.and_then(|rule| rule.index));
        at(&component.rules, index).or_else(|| {
            let id = result.own_rule_id()?;
            let components = || std::iter::once(&self.tool.driver).chain(&self.tool.extensions);
            let find = |id: &str| components().flat_map(|of| &of.rules).find(|rule| rule.id == id);
            // `CA1000/1` is a case of the rule `CA1000`.
            find(id).or_else(|| find(id.rsplit_once('/')?.0))
        })
    }

    /// The id of a result's rule; empty where it has none.
    pub(super) fn rule_id<'a>(&'a self, result: &'a FoundResult) -> &'a str {
        result.own_rule_id().or_else(|| self.rule_of(result).map(|rule| rule.id.as_str())).unwrap_or_default()
    }

    /// The file of a location.
    pub(super) fn uri<'a>(&'a self, location: &'a PhysicalLocation) -> Option<&'a str> {
        let artifact = location.artifact_location.as_ref()?;
        let listed = || at(&self.artifacts, artifact.index)?.location.as_ref()?.uri.as_deref();
        artifact.uri.as_deref().or_else(listed)
    }
}

impl FoundResult {
    fn own_rule_id(&self) -> Option<&str> {
        self.rule_id.as_deref().or_else(|| self.rule.as_ref()?.id.as_deref())
    }
}
