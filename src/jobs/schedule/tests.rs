use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(text: &str, name: &str) -> Schedule {
    Schedule::parse(text, zone(name).unwrap()).unwrap()
}

/// The next due times after a time, in the schedule's own zone.
fn next(text: &str, name: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(text, name);
    let far = at("2100-01-01T00:00:00Z");
    let show = |time: Timestamp| time.to_zoned(schedule.zone.clone()).strftime("%a %F %T%:z").to_string();
    schedule.due(at(after), far).take(count).map(show).collect()
}

/// What stands here was read off `systemd-analyze calendar --iterations` of systemd 252, but for the lines about cron.
#[test]
fn due_times_are_those_of_the_scheduler() {
    let berlin = "Europe/Berlin";
    for (text, after, expected) in [
        ("0 3 * * 1-5", "2026-11-20T12:00:00Z", ["Mon 2026-11-23 03:00:00+01:00", "Tue 2026-11-24 03:00:00+01:00"]),
        ("Mon..Fri 03:00", "2026-11-20T12:00:00Z", ["Mon 2026-11-23 03:00:00+01:00", "Tue 2026-11-24 03:00:00+01:00"]),
        ("*/20 9-17 * * *", "2026-11-20T16:20:00Z", ["Fri 2026-11-20 17:40:00+01:00", "Sat 2026-11-21 09:00:00+01:00"]),
        // Both days restricted: either is enough.
        ("0 0 13 * fri", "2026-11-07T00:00:00Z", ["Fri 2026-11-13 00:00:00+01:00", "Fri 2026-11-20 00:00:00+01:00"]),
        // A star in front, and both are needed.
        ("0 0 */10 * fri", "2026-11-07T00:00:00Z", ["Fri 2026-12-11 00:00:00+01:00", "Fri 2027-01-01 00:00:00+01:00"]),
        ("0 0 * * 7", "2026-11-20T00:00:00Z", ["Sun 2026-11-22 00:00:00+01:00", "Sun 2026-11-29 00:00:00+01:00"]),
        ("@monthly", "2026-11-20T00:00:00Z", ["Tue 2026-12-01 00:00:00+01:00", "Fri 2027-01-01 00:00:00+01:00"]),
        ("quarterly", "2026-11-20T00:00:00Z", ["Fri 2027-01-01 00:00:00+01:00", "Thu 2027-04-01 00:00:00+02:00"]),
        (
            "Mon *-02~1 00:00",
            "2026-03-28T11:00:00Z",
            ["Mon 2033-02-28 00:00:00+01:00", "Mon 2039-02-28 00:00:00+01:00"],
        ),
        (
            "Fri *-*-13 12:00",
            "2026-03-28T11:00:00Z",
            ["Fri 2026-11-13 12:00:00+01:00", "Fri 2027-08-13 12:00:00+02:00"],
        ),
        (
            "2020..2030/2-1-1",
            "2026-03-28T11:00:00Z",
            ["Sat 2028-01-01 00:00:00+01:00", "Tue 2030-01-01 00:00:00+01:00"],
        ),
        ("*:0/15:30", "2026-03-28T11:00:00Z", ["Sat 2026-03-28 12:00:30+01:00", "Sat 2026-03-28 12:15:30+01:00"]),
        ("0 12 29 2 *", "2026-01-01T00:00:00Z", ["Tue 2028-02-29 12:00:00+01:00", "Sun 2032-02-29 12:00:00+01:00"]),
    ] {
        assert_eq!(next(text, berlin, after, 2), expected, "{text}");
    }
    assert_eq!(next("Mon 05:40 Europe/London", berlin, "2025-10-25T00:00:00Z", 1), ["Mon 2025-10-27 05:40:00+00:00"]);
}

#[test]
fn where_the_clock_is_put_forward_each_does_what_its_scheduler_does() {
    let (berlin, before) = ("Europe/Berlin", "2026-03-29T00:45:00Z");
    let of = |text| next(text, berlin, before, 2);
    assert_eq!(of("30 2 * * *"), ["Sun 2026-03-29 03:00:00+02:00", "Mon 2026-03-30 02:30:00+02:00"], "run at once");
    assert_eq!(of("0,30 2 * * *"), ["Sun 2026-03-29 03:00:00+02:00", "Mon 2026-03-30 02:00:00+02:00"], "both at once");
    assert_eq!(of("30 * * * *"), ["Sun 2026-03-29 03:30:00+02:00", "Sun 2026-03-29 04:30:00+02:00"]);
    assert_eq!(of("*/30 2 * * *"), ["Mon 2026-03-30 02:00:00+02:00", "Mon 2026-03-30 02:30:00+02:00"]);
    assert_eq!(of("*-*-* 02:30"), ["Mon 2026-03-30 02:30:00+02:00", "Tue 2026-03-31 02:30:00+02:00"]);
    assert_eq!(of("*:30"), ["Sun 2026-03-29 03:30:00+02:00", "Sun 2026-03-29 04:30:00+02:00"]);
    assert_eq!(of("0 3 * * *"), ["Sun 2026-03-29 03:00:00+02:00", "Mon 2026-03-30 03:00:00+02:00"], "never twice");
}

#[test]
fn where_the_clock_is_put_back_each_does_what_its_scheduler_does() {
    let (berlin, before) = ("Europe/Berlin", "2026-10-24T23:45:00Z");
    let of = |text| next(text, berlin, before, 3);
    let once = ["Sun 2026-10-25 02:30:00+02:00", "Mon 2026-10-26 02:30:00+01:00", "Tue 2026-10-27 02:30:00+01:00"];
    assert_eq!(of("30 2 * * *"), once);
    assert_eq!(of("*-*-* 02:30"), once);
    let twice = ["Sun 2026-10-25 02:30:00+02:00", "Sun 2026-10-25 02:30:00+01:00", "Sun 2026-10-25 03:30:00+01:00"];
    assert_eq!(of("30 * * * *"), twice);
    let first = ["Sun 2026-10-25 02:30:00+02:00", "Sun 2026-10-25 03:30:00+01:00", "Sun 2026-10-25 04:30:00+01:00"];
    assert_eq!(of("*:30"), first);
    // Asked in the second hour, too.
    assert_eq!(next("*-*-* 02:30", berlin, "2026-10-25T01:10:00Z", 1), ["Mon 2026-10-26 02:30:00+01:00"]);
}

#[test]
fn zones_that_do_odd_things() {
    // Half an hour, southern summer.
    assert_eq!(
        next("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2),
        ["Sun 2026-04-05 01:45:00+11:00", "Mon 2026-04-06 01:45:00+10:30"]
    );
    // Samoa had no 30 December 2011: fixed times of that day fall on its end.
    assert_eq!(next("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 1), ["Sat 2011-12-31 00:00:00+14:00"]);
    assert_eq!(next("*-12-30 12:00", "Pacific/Apia", "2011-12-01T00:00:00Z", 1), ["Sun 2012-12-30 12:00:00+14:00"]);
    // Midnight does not exist.
    assert_eq!(next("@daily", "America/Santiago", "2026-09-05T12:00:00Z", 1), ["Sun 2026-09-06 01:00:00-03:00"]);
}

/// Against the plainest reading: look at every second of two weeks around each change of the clock.
#[test]
fn wildcards_are_due_exactly_when_the_clock_shows_it() {
    let zone = zone("America/New_York").unwrap();
    let schedule = Schedule::parse("*/7 1-3 * * 0,1", zone.clone()).unwrap();
    for around in ["2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"] {
        let (from, to) = (at(around) - SignedDuration::from_hours(170), at(around) + SignedDuration::from_hours(170));
        let minutes = std::iter::successors(Some(from + SignedDuration::from_mins(1)), |time| {
            Some(*time + SignedDuration::from_mins(1))
        });
        let shown = |time: &Timestamp| {
            let civil = time.to_zoned(zone.clone());
            civil.minute() % 7 == 0 && (1..=3).contains(&civil.hour()) && civil.weekday().to_sunday_zero_offset() <= 1
        };
        let expected: Vec<_> = minutes.take_while(|time| *time <= to).filter(shown).collect();
        assert_eq!(schedule.due(from, to).collect::<Vec<_>>(), expected, "{around}");
    }
}

#[test]
fn the_last_due_time_is_found_however_long_ago_it_was() {
    let before = |text: &str| schedule(text, "UTC").previous(at("2026-11-23T18:00:00Z")).map(|time| time.to_string());
    assert_eq!(before("*:*:*").as_deref(), Some("2026-11-23T18:00:00Z"), "this very second");
    assert_eq!(before("0 3 * * 1-5").as_deref(), Some("2026-11-23T03:00:00Z"));
    assert_eq!(before("0 0 29 2 *").as_deref(), Some("2024-02-29T00:00:00Z"));
    assert_eq!(before("2030-1-1"), None);
    assert_eq!(Schedule::every(&"1m".parse().unwrap()).previous(at("2026-11-23T18:00:00Z")), None);
}

#[test]
fn an_interval_counts_from_the_run_before() {
    let hourly = Schedule::every(&"1h".parse().unwrap());
    assert_eq!(hourly.next_after(at("2026-03-29T00:59:30.25Z")), Some(at("2026-03-29T01:59:30.25Z")));
    assert_eq!((hourly.text(), hourly.zone_name()), ("every 1h", None));
}

#[test]
fn gaps_and_crowds_are_those_of_the_calendar() {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let weekdays = schedule("0 3 * * 1-5", "Europe/Berlin");
    assert_eq!(weekdays.gaps(), Some((hours(24), hours(73))), "the clock changes on weekends");
    assert_eq!(weekdays.most_within(hours(24)), 1);
    assert_eq!(schedule("0 3 * * *", "Europe/Berlin").most_within(hours(24)), 2, "23 hours apart, once a year");
    assert_eq!(schedule("*/5 * * * *", "UTC").most_within(hours(1)), 12);
    assert_eq!(schedule("0,1,2 3 * * *", "UTC").most_within(hours(1)), 3);
    assert_eq!(schedule("2030-1-1", "UTC").gaps(), None);
    let hourly = Schedule::every(&"1h".parse().unwrap());
    assert_eq!((hourly.most_within(hours(24)), hourly.gaps()), (24, Some((hours(1), hours(1)))));
}

#[test]
fn what_is_no_schedule_says_what_is_wrong() {
    for (text, expected) in [
        ("0 0 30 2 *", "never occurs; expected days that some month has"),
        ("0 0 31 4,6 *", "never occurs; expected days that some month has"),
        ("*-02-30 03:00", "never occurs; expected days that some month has"),
        ("60 * * * *", "has `60` as minute; expected 0 to 59"),
        ("0 24 * * *", "has `24` as hour; expected 0 to 23"),
        ("0 0 0 * *", "has `0` as day of month; expected 1 to 31"),
        ("0 0 * Janu *", "has `Janu` as month (did you mean `jan`?); expected 1 to 12, or a name such as `jan`"),
        ("0 0 ? * 1", "has `?` as day of month, which is not cron's; expected 1 to 31"),
        ("0 0 L * *", "has `L` as day of month, which is not cron's; expected 1 to 31"),
        ("0 0 * * 5#2", "has `5#2` as day of week, which is not cron's; expected 0 to 7, or a name such as `sun`"),
        (
            "0 22-5 * * *",
            "has the hour `22-5`, which runs backwards; expected the smaller number first; write what goes over the end as two, such as `22-23,0-5`",
        ),
        (
            "5/10 * * * *",
            "has `5/10` as minute, a step behind a single number; expected a range in front of the step, such as `5-59/10`",
        ),
        ("*/0 * * * *", "has the step `0` in minute; expected a whole number from 1 on"),
        (
            "0 0 3 * * 1",
            "has 6 fields (seconds and years are not cron's; systemd's calendar form has them); expected five: minute, hour, day of month, month, day of week",
        ),
        ("* * * *", "has 4 fields; expected five: minute, hour, day of month, month, day of week"),
        (
            "@dialy",
            "is no nickname of cron (did you mean `@daily`?); expected `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`",
        ),
        (
            "@reboot",
            "has `@reboot`, which names no time, so nobody can say when a run is missing; expected a cron expression with times",
        ),
        (
            "Mod 03:00",
            "has `mod`, which is no day of the week; expected a cron expression such as `0 3 * * 1-5`, or a calendar event such as `Mon..Fri 03:00`",
        ),
        (
            "dialy",
            "has `dialy`, which is no day of the week (did you mean `daily`?); expected a cron expression such as `0 3 * * 1-5`, or a calendar event such as `Mon..Fri 03:00`",
        ),
        (
            "Fri..Mon 05:00",
            "has the days `Fri..Mon`, which run backwards; expected days from Monday to Sunday, such as `Fri..Sun,Mon`",
        ),
        ("*:0/15:30.5", "has `*:0/15:30.5`, with fractions of a second; expected whole seconds"),
        ("*-*~1..3", "has `~1..3`, a range of days from the end; expected single days, such as `*-*~1,2`"),
        (
            "@100",
            "has `@100`, a time since the epoch; expected a cron expression such as `0 3 * * 1-5`, or a calendar event such as `Mon..Fri 03:00`",
        ),
        ("25:00", "has `25` as hour; expected 0 to 23"),
        ("26-1-1 03:00", "has `26` as year; expected four digits, 1970 to 2199"),
        (
            "03:00 Europe/Berln",
            "ends with `Europe/Berln`, which is not a time zone (did you mean `Europe/Berlin`?); expected a name of the time zone database such as `Europe/Berlin`, or `UTC`",
        ),
        (
            "3",
            "has `3`, which is neither a date nor a time; expected a cron expression such as `0 3 * * 1-5`, or a calendar event such as `Mon..Fri 03:00`",
        ),
        (
            "",
            "is neither; expected a cron expression such as `0 3 * * 1-5`, or a calendar event such as `Mon..Fri 03:00`",
        ),
    ] {
        let fault = Schedule::parse(text, TimeZone::UTC).unwrap_err();
        assert_eq!(format!("{}; expected {}", fault.found, fault.expected), expected, "{text}");
    }
}

#[test]
fn a_zone_that_is_none_gets_a_guess() {
    assert_eq!(zone("Europe/Berln").unwrap_err(), "is not a time zone (did you mean `Europe/Berlin`?)");
    assert_eq!(zone("Berlin").unwrap_err(), "is not a time zone (did you mean `Europe/Berlin`?)");
    assert_eq!(zone("Mars/Olympus").unwrap_err(), "is not a time zone");
    assert_eq!(zone("europe/berlin").unwrap().iana_name(), Some("Europe/Berlin"));
}
