//! The totals of a script in Prometheus' text format.

use crate::contract::MetricType;
use crate::exposition::{escape, number};
use crate::ledger::{Family, Series, State, Value};

/// The whole group: `# HELP` and `# TYPE` for every metric, and the name of the script on every series, so that files of
/// many scripts in one folder do not contradict each other.
#[must_use]
pub fn text(state: &State) -> String {
    let mut text = String::new();
    for (name, family) in state.families.iter().filter(|(_, family)| !family.series.is_empty()) {
        let help = family.help.replace('\\', r"\\").replace('\n', r"\n");
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {}\n", family.kind.as_str()));
        for series in &family.series {
            lines(&mut text, name, family, series, &labels(&state.script, series));
        }
    }
    text
}

fn labels(script: &str, series: &Series) -> String {
    let own = series.labels.iter().map(|(name, value)| format!(",{name}=\"{}\"", escape(value)));
    format!("script_name=\"{}\"{}", escape(script), own.collect::<String>())
}

fn lines(text: &mut String, name: &str, family: &Family, series: &Series, labels: &str) {
    match &series.value {
        Value::Value(value) => text.push_str(&format!("{name}{{{labels}}} {}\n", number(*value))),
        Value::Histogram { counts, sum } => {
            debug_assert!(family.kind == MetricType::Histogram);
            let mut total = 0;
            let bounds = family.bounds.iter().copied().chain([f64::INFINITY]);
            for (bound, count) in bounds.zip(counts) {
                total += count;
                text.push_str(&format!("{name}_bucket{{{labels},le=\"{}\"}} {total}\n", number(bound)));
            }
            text.push_str(&format!("{name}_sum{{{labels}}} {}\n{name}_count{{{labels}}} {total}\n", number(*sum)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_help_type_and_the_script() {
        let mut state = State::new("a\"b");
        state.inc("moko_script_executions_total", &[("status", "failure")], 1.0).unwrap();
        state.declare("app_sizes", MetricType::Histogram, "Sizes.\nOf things.", &[1.0, 10.0]).unwrap();
        for size in [0.5, 10.0, 11.0] {
            state.observe("app_sizes", &[("disk", "c:\\")], size).unwrap();
        }
        insta::assert_snapshot!(text(&state), @r##"
        # HELP app_sizes Sizes.\nOf things.
        # TYPE app_sizes histogram
        app_sizes_bucket{script_name="a\"b",disk="c:\\",le="1"} 1
        app_sizes_bucket{script_name="a\"b",disk="c:\\",le="10"} 2
        app_sizes_bucket{script_name="a\"b",disk="c:\\",le="+Inf"} 3
        app_sizes_sum{script_name="a\"b",disk="c:\\"} 21.5
        app_sizes_count{script_name="a\"b",disk="c:\\"} 3
        # HELP moko_script_executions_total Runs of a script that have ended, by how they ended.
        # TYPE moko_script_executions_total counter
        moko_script_executions_total{script_name="a\"b",status="failure"} 1
        "##);
    }
}
