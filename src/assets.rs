//! The files that ship inside the binary, under the names that users of the original know.

/// The alert rules about scripts, with the default thresholds.
pub const ALERTS_CONFIG: &str = include_str!("../assets/alerts-config.yml");

/// The alert rules about the stack itself, with the default thresholds.
pub const STACK_ALERTS: &str = include_str!("../assets/stack-alerts.yml");

/// The rule of `verify --deep`.
pub const CANARY: &str = include_str!("../assets/canary.yml");

/// The rule of the dead man's switch.
pub const WATCHDOG: &str = include_str!("../assets/watchdog.yml");

/// The template of [`ALERTS_CONFIG`].
pub const ALERTS_CONFIG_TEMPLATE: &str = include_str!("../assets/templates/alerts-config.yml");

/// The template of [`STACK_ALERTS`].
pub const STACK_ALERTS_TEMPLATE: &str = include_str!("../assets/templates/stack-alerts.yml");

/// The dashboard, classic schema.
pub const DASHBOARD: &str = include_str!("../assets/grafana-dashboard.json");

macro_rules! messages {
    ($($name:literal),* $(,)?) => {
        /// The templates of what people are told, as file names and contents. They belong together.
        pub const MESSAGES: [(&str, &str); [$($name),*].len()] =
            [$(($name, include_str!(concat!("../assets/messages/", $name)))),*];
    };
}

messages![
    "common.tmpl",
    "mail-html.tmpl",
    "mail-text.tmpl",
    "markdown.tmpl",
    "pagers.tmpl",
    "slack.tmpl",
    "telegram.tmpl",
];
