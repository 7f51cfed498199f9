//! `alert silence`: adds, shows and ends silences.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::Context;
use super::Asked;
use crate::alert::label::{matchers, shown};
use crate::alerting::routing::Matcher;
use crate::cli;
use crate::config::quote;
use crate::docker::error::clean;
use crate::error::{Code, Error, Result};
use crate::http::alertmanager::{Silence, SilenceMatcher};
use crate::platform;
use crate::ui::{Report, table};
use crate::why::words::{few, many, until};

pub(super) async fn add(context: &Context<'_>, flags: &cli::SilenceAdd) -> Result<Report> {
    let goal = "could not add the silence";
    let matchers = matchers(goal, &flags.matchers)?;
    if flags.comment.trim().is_empty() {
        return Err(Error::new(Code::Usage, goal)
            .cause("the comment is empty")
            .hint("say why with `--comment TEXT`: who meets the silence next will want to know"));
    }
    let asked = Asked::find(context, &flags.asked).await?;
    let now = Timestamp::now();
    let end = now.checked_add(flags.duration.as_duration()).unwrap_or(Timestamp::MAX);
    let words: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    let hit = asked.alertmanager.alerts_with(&words).await.map_err(|error| error.goal(goal))?;
    let sent: Vec<SilenceMatcher> = matchers.into_iter().map(sent).collect();
    let author = flags.author.clone().unwrap_or_else(platform::who);
    let id = asked.alertmanager.silence(&sent, end, &author, &flags.comment).await.map_err(|error| error.goal(goal))?;
    let ends = until(&end.to_string(), now.as_duration().as_secs_f64());
    let mut text = format!("added silence {id} for {{{}}} until {ends}", words.join(", "));
    if hit.is_empty() {
        text.push_str("\nno alert that fires now fits it");
    } else {
        text.push_str(&format!("\nkeeps {} quiet:", many(hit.len(), "alert")));
        let alerts = few(hit.iter().map(|alert| shown(&alert.labels)).collect());
        text.extend(alerts.into_iter().map(|alert| format!("\n  {}", clean(&alert))));
    }
    let alerts: Vec<_> = hit.iter().map(|alert| &alert.labels).collect();
    let data = json!({"id": id, "matchers": words, "ends_at": end.to_string(), "author": author, "alerts": alerts});
    Ok(Report::new(data, text))
}

fn sent(matcher: Matcher) -> SilenceMatcher {
    let Matcher { name, value, negated, regex } = matcher;
    SilenceMatcher { name, value, is_regex: regex, is_equal: !negated }
}

pub(super) async fn list(context: &Context<'_>, flags: &cli::SilenceList) -> Result<Report> {
    let asked = Asked::find(context, &flags.asked).await?;
    let mut all = asked.alertmanager.silences().await?;
    all.retain(|silence| flags.expired || has_not_ended(silence));
    all.sort_by(|one, other| one.ends_at.cmp(&other.ends_at));
    let data = json!({"silences": all.iter().map(json).collect::<Vec<_>>()});
    Ok(Report::new(data, text(&all, Timestamp::now().as_duration().as_secs_f64())))
}

fn text(silences: &[Silence], now: f64) -> String {
    if silences.is_empty() {
        return "there is no silence".to_owned();
    }
    let heading = ["ID", "STATE", "ENDS", "BY", "MATCHERS", "COMMENT"].map(str::to_owned).to_vec();
    let rows = silences.iter().map(|silence| {
        let Silence { id, status, ends_at, created_by, comment, .. } = silence;
        let ends = until(ends_at, now);
        let cells = [id, &status.state, &ends, created_by, &words(silence).join(", "), comment];
        cells.map(|cell| clean(cell)).to_vec()
    });
    table::columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}

fn words(silence: &Silence) -> Vec<String> {
    let matchers = silence.matchers.iter().cloned().map(|SilenceMatcher { name, value, is_regex, is_equal }| Matcher {
        name,
        value,
        negated: !is_equal,
        regex: is_regex,
    });
    matchers.map(|matcher| matcher.to_string()).collect()
}

fn json(silence: &Silence) -> Value {
    json!({
        "id": silence.id,
        "state": silence.status.state,
        "matchers": words(silence),
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "author": silence.created_by,
        "comment": silence.comment,
    })
}

fn has_not_ended(silence: &Silence) -> bool {
    silence.status.state != "expired"
}

pub(super) async fn expire(context: &Context<'_>, flags: &cli::SilenceExpire) -> Result<Report> {
    let asked = Asked::find(context, &flags.asked).await?;
    let mut all = asked.alertmanager.silences().await?;
    all.retain(has_not_ended);
    let chosen = if flags.all { all.iter().collect() } else { chosen(&flags.ids, &all)? };
    for silence in &chosen {
        asked.alertmanager.expire(&silence.id).await.map_err(|error| error.goal("could not end the silence"))?;
    }
    let ids: Vec<&String> = chosen.iter().map(|silence| &silence.id).collect();
    let lines =
        chosen.iter().map(|silence| format!("ended silence {} for {{{}}}", silence.id, words(silence).join(", ")));
    let lines: Vec<String> = lines.map(|line| clean(&line)).collect();
    let text = if lines.is_empty() { "there is no silence to end".to_owned() } else { lines.join("\n") };
    Ok(Report::new(json!({"expired": ids}), text))
}

/// The silences whose ids begin like this; each word has to mean one.
fn chosen<'a>(ids: &[String], all: &'a [Silence]) -> Result<Vec<&'a Silence>> {
    let mut chosen: Vec<&Silence> = Vec::new();
    let mut causes = Vec::new();
    for id in ids {
        let meant: Vec<&Silence> =
            all.iter().filter(|silence| !id.is_empty() && silence.id.starts_with(id.as_str())).collect();
        match meant.as_slice() {
            [one] if chosen.iter().any(|other| other.id == one.id) => {}
            [one] => chosen.push(one),
            [] => causes.push(format!("there is no silence {} that has not ended", quote(id))),
            several => causes.push(format!("{} silences begin with {}", several.len(), quote(id))),
        }
    }
    if causes.is_empty() {
        return Ok(chosen);
    }
    Err(Error { causes, ..Error::new(Code::NotFound, "could not end the silence") }
        .hint("`moko-mon alert silence list` shows the ids; nothing was changed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(id: &str) -> Silence {
        serde_json::from_value(json!({
            "id": id, "startsAt": "2026-01-02T11:00:00Z", "endsAt": "2026-01-02T18:00:00Z", "createdBy": "jmi",
            "comment": "known", "status": {"state": "active"},
            "matchers": [{"name": "team", "value": "a|b", "isRegex": true, "isEqual": false}],
        }))
        .unwrap()
    }

    #[test]
    fn each_silence_has_a_line() {
        insta::assert_snapshot!(text(&[silence("3f2a")], 1_767_355_200.0), @r#"
        ID    STATE   ENDS       BY   MATCHERS     COMMENT
        3f2a  active  18:00 UTC  jmi  team!~"a|b"  known
        "#);
        assert_eq!(text(&[], 0.0), "there is no silence");
    }

    #[test]
    fn an_id_may_be_cut_short_and_has_to_mean_one_silence() {
        let all = [silence("3f2a"), silence("3f3b"), silence("41")];
        let ids = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
        let found = chosen(&ids(&["3f2", "41", "3f2a"]), &all).unwrap();
        assert_eq!(found.iter().map(|silence| silence.id.as_str()).collect::<Vec<_>>(), ["3f2a", "41"]);
        insta::assert_snapshot!(chosen(&ids(&["3f", "x"]), &all).unwrap_err(), @"
        error: could not end the silence
          caused by: 2 silences begin with `3f`
          caused by: there is no silence `x` that has not ended
        hint: `moko-mon alert silence list` shows the ids; nothing was changed
        ");
    }
}
