//! The files that ship inside the binary, under the names that users of the original know.

/// The alert rules about scripts.
pub const ALERTS_CONFIG: &str = include_str!("../assets/alerts-config.yml");

/// The alert rules about the stack itself.
pub const STACK_ALERTS: &str = include_str!("../assets/stack-alerts.yml");

/// The dashboard, classic schema.
pub const DASHBOARD: &str = include_str!("../assets/grafana-dashboard.json");
