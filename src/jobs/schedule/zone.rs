//! Time zones, from the database in the binary: a container may have none of its own.

use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::config::did_you_mean;

fn database() -> &'static TimeZoneDatabase {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    DATABASE.get_or_init(TimeZoneDatabase::bundled)
}

/// The zone of an IANA name such as `Europe/Berlin`; the error is a remark behind the name.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    if let Ok(zone) = database().get(name) {
        return Ok(zone);
    }
    let names: Vec<String> = database().available().map(|name| name.as_str().to_owned()).collect();
    let mut guess = did_you_mean(name, names.iter().map(String::as_str));
    // `Berlin` is far from every whole name.
    let city = |full: &&String| full.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name));
    if guess.is_empty()
        && let Some(full) = names.iter().find(city)
    {
        guess = format!(" (did you mean `{full}`?)");
    }
    Err(format!("is not a time zone{guess}"))
}
