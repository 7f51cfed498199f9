//! What a value may be, in words and as JSON Schema.

use serde_json::{Value, json};

use super::super::{names, size};
use super::{OWN_JOBS, Scalar, alerts};
use crate::alerting::OWN_RECEIVERS;
use crate::jobs;

impl Scalar {
    /// What would be right, for the second half of a problem's sentence.
    pub(crate) fn expected(self) -> String {
        match self {
            Self::Project => "2 to 31 of `a-z`, `0-9` and `-`, starting with a letter".to_owned(),
            Self::Bind => "an IP address such as `127.0.0.1`".to_owned(),
            Self::Registry => "a registry such as `mirror.example.com:5000/docker`".to_owned(),
            Self::Image => "an image such as `prom/prometheus:v3.5.0`".to_owned(),
            Self::Choice(words) => format!("one of {}", names::list(words.iter().copied())),
            Self::Alert => "a built-in alert, as `moko-mon rules list` shows them".to_owned(),
            Self::Port => "a whole number from 1 to 65535".to_owned(),
            Self::Memory { floor } => {
                let (floor, ceiling) = (size::display(floor), size::display(size::MEMORY_CEILING));
                format!("a whole number with MiB or GiB, {floor} to {ceiling}")
            }
            Self::Duration { floor: "0s", ceiling: None } => "a duration such as `15s`, `1h30m` or `15d`".to_owned(),
            Self::Duration { floor, ceiling: None } => {
                format!("a duration such as `15s`, `1h30m` or `15d`, at least {floor}")
            }
            Self::Duration { floor, ceiling: Some(ceiling) } => {
                format!("a duration such as `90s` or `1h30m`, {floor} to {ceiling}")
            }
            Self::Ratio => "a share above 0 and below 1, such as `0.05` for 5%".to_owned(),
            Self::Url => "an address such as `https://grafana.example.com/team`".to_owned(),
            Self::OpenUrl => {
                "an address such as `https://example.com/alerts`; one with a secret in it goes to `url_file`".to_owned()
            }
            Self::RetentionSize => "a whole number with MB, GB or TB, at least 128MB".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Job => format!("a job name other than {}", names::list(OWN_JOBS)),
            Self::Address => "`host:port`, or a URL such as `https://host:port/metrics`".to_owned(),
            Self::MetricsPath => "a path such as `/metrics`".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Count { floor: 0 } => "a whole number".to_owned(),
            Self::Count { floor } => format!("a whole number from {floor} on"),
            Self::Metric => "letters, digits, `_` and `:`, not starting with a digit".to_owned(),
            Self::Check => "a name of `a-z`, `0-9`, `-` and `_`, starting with a letter".to_owned(),
            Self::Expectation => {
                "`\"> 0\"` (or `>=`, `<`, `<=`, `==`, `!=`), `absent` or `at least 3 series`".to_owned()
            }
            Self::Schedule => {
                "a cron expression such as `0 3 * * 1-5`, or a calendar event such as `Mon..Fri 03:00`".to_owned()
            }
            Self::TimeZone => jobs::ZONE.to_owned(),
            Self::Receiver => {
                format!("a name of letters, digits, `-`, `_` and `.`, other than {}", names::list(OWN_RECEIVERS))
            }
            Self::Mail => "an address such as `ops@example.com`, or several with commas between".to_owned(),
            Self::HostPort => "`host:port`, such as `smtp.example.com:587`".to_owned(),
            Self::Variable => "the name of an environment variable, such as `SMTP_PASSWORD`".to_owned(),
            Self::TimeOfDay => "a time in quotes, such as `\"22:00\"`, up to `\"24:00\"`".to_owned(),
            Self::ChatId => "a whole number, such as `-1001234567890`".to_owned(),
            Self::Label => "letters, digits and `_`, not starting with a digit".to_owned(),
            Self::File => "the path of a file, relative to the configuration file".to_owned(),
            Self::Glob => "a path or pattern such as `rules/*.yml`".to_owned(),
        }
    }

    /// The JSON Schema of the value.
    pub(crate) fn json_schema(self) -> Value {
        match self {
            Self::Project => json!({"type": "string", "pattern": "^[a-z][a-z0-9-]{1,30}$"}),
            Self::Bind => json!({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
            Self::Registry => {
                json!({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*/?$"})
            }
            Self::Image | Self::Text | Self::File | Self::Glob | Self::Schedule | Self::TimeZone => {
                json!({"type": "string", "minLength": 1})
            }
            Self::Choice(words) => json!({"type": "string", "enum": words}),
            Self::Alert => json!({"type": "string", "enum": alerts().collect::<Vec<_>>()}),
            Self::Port => json!({"type": "integer", "minimum": 1, "maximum": 65535}),
            Self::Memory { .. } => json!({"type": "string", "pattern": "^[1-9][0-9]*([kK]|[mM]|[gG])([iI]?[bB])?$"}),
            Self::Duration { .. } => json!({
                "type": "string",
                "pattern": "^(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?$",
                "minLength": 2,
            }),
            Self::RetentionSize => json!({"type": "string", "pattern": "^[1-9][0-9]*(B|KB|MB|GB|TB|PB|EB)$"}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Job => json!({"type": "string", "minLength": 1, "not": {"enum": OWN_JOBS}}),
            Self::Address => json!({"type": "string", "pattern": "^(https?://)?[^/@\\s]+:[0-9]+(/[^\\s?#]*)?$"}),
            Self::Count { floor } => json!({"type": "integer", "minimum": floor}),
            Self::Ratio => json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
            Self::Url | Self::OpenUrl => json!({"type": "string", "pattern": "^https?://[^@/\\s?#]+(/[^\\s?#]*)?$"}),
            Self::Check => json!({"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,62}$"}),
            Self::Expectation => json!({
                "type": "string",
                "pattern": "^((>|>=|<|<=|==|!=) *-?[0-9.]+([eE][+-]?[0-9]+)?|absent|at least [1-9][0-9]* series)$",
            }),
            Self::Metric => json!({"type": "string", "pattern": "^[a-zA-Z_:][a-zA-Z0-9_:]*$"}),
            Self::MetricsPath => json!({"type": "string", "pattern": "^/[^\\s?#]*$"}),
            Self::Receiver => json!({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"}),
            Self::Mail => json!({"type": "string", "pattern": "^[^@]+@[^@]+"}),
            Self::HostPort => json!({"type": "string", "pattern": "^[^/@\\s]+:[0-9]+$"}),
            Self::Variable => json!({"type": "string", "pattern": "^(?!MOKO_MON_)[a-zA-Z_][a-zA-Z0-9_]*$"}),
            Self::TimeOfDay => json!({"type": "string", "pattern": "^([01][0-9]|2[0-4]):[0-5][0-9]$"}),
            Self::ChatId => json!({"type": "integer"}),
            Self::Label => json!({"type": "string", "pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}),
        }
    }
}
