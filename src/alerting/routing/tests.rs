use super::*;

const CONFIG: &str = "
route:
  receiver: nobody
  routes:
  - matchers: ['severity=\"critical\"']
    receiver: pager
    routes:
    - match: {team: security}
      receiver: security
  - matchers: ['severity=~\"critical|warning\"', 'service!=\"\"']
    continue: true
  - matchers: ['severity=\"critical\"', 'team=\"devops\"']
    receiver: late
  - matchers: ['team=\"nosuch\"']
    receiver: never
receivers:
- name: nobody
- name: pager
  webhook_configs: [{url: <secret>}]
  email_configs: []
";

fn alert(labels: &[(&str, &str)]) -> Known {
    Known { labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
}

#[test]
fn receivers_count_by_their_integrations() {
    let routing = Routing::read(CONFIG).unwrap();
    assert!(!routing.tells("nobody") && routing.tells("pager"));
    assert_eq!((routing.receivers_with("webhook"), routing.receivers_with("email")), (vec!["pager"], vec![]));
    let receivers: Vec<&str> = routing.root.all().iter().map(|route| route.receiver.as_str()).collect();
    assert_eq!(receivers, ["nobody", "pager", "security", "nobody", "late", "never"]);
}

#[test]
fn a_receiver_that_is_not_told_of_ends_may_be_begun_without_a_call() {
    let config = "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{send_resolved: true}], \
                  slack_configs: [{send_resolved: true}, {send_resolved: false}]}]";
    let routing = Routing::read(config).unwrap();
    assert_eq!(["webhook", "slack"].map(|kind| routing.hides_resolved(kind, "a")), [false, true]);
}

#[test]
fn routes_that_are_muted_say_when() {
    let config = "route: {receiver: a, routes: [{mute_time_intervals: [nights, ever], routes: [{}]}, \
                  {active_time_intervals: [office]}]}\nreceivers: [{name: a}]\ntime_intervals: [{name: nights, \
                  time_intervals: [{weekdays: [sunday]}]}, {name: ever, time_intervals: [{}]}, {name: office, \
                  time_intervals: [{weekdays: [monday]}]}]";
    let routing = Routing::read(config).unwrap();
    let quiet: Vec<Option<(&str, bool)>> = routing
        .root
        .all()
        .iter()
        .map(|route| route.quiet.as_ref().map(|quiet| (quiet.when.as_str(), quiet.always)))
        .collect();
    assert_eq!(quiet, [None, Some(("during `nights`, `ever`", true)), None, Some(("but during `office`", false))]);
}

#[test]
fn an_alert_is_taken_by_the_first_inner_route_that_fits_and_does_not_continue() {
    let routing = Routing::read(CONFIG).unwrap();
    let receivers = |labels: &[(&str, &str)]| -> Vec<(String, Fits)> {
        let taken = routing.root.takes(&alert(labels));
        taken.into_iter().map(|(route, fits)| (route.receiver.clone(), fits)).collect()
    };
    let surely = |receiver: &str| vec![(receiver.to_owned(), Fits::Surely)];
    assert_eq!(receivers(&[("severity", "critical"), ("team", "security")]), surely("security"));
    assert_eq!(receivers(&[("severity", "critical"), ("team", "ops")]), surely("pager"));
    assert_eq!(receivers(&[("severity", "info"), ("team", "ops"), ("service", "")]), surely("nobody"));
    let perhaps = receivers(&[("severity", "critical")]);
    assert_eq!(perhaps, [("security".to_owned(), Fits::Perhaps), ("pager".to_owned(), Fits::Surely)]);
}

#[test]
fn routes_that_no_alert_can_reach_are_named_with_the_reason() {
    let alerts = [
        alert(&[("alertname", "A"), ("severity", "critical"), ("team", "devops")]),
        alert(&[("alertname", "B"), ("severity", "warning"), ("team", "devops")]),
    ];
    let routing = Routing::read(CONFIG).unwrap();
    assert_eq!(
        routing.root.unreached(&alerts),
        [
            (r#"{team="security"} → security"#.to_owned(), "no rule sets such labels".to_owned()),
            (
                r#"{severity="critical", team="devops"} → late"#.to_owned(),
                r#"the route {severity="critical"} → pager before it takes them all and does not continue"#.to_owned()
            ),
            (r#"{team="nosuch"} → never"#.to_owned(), "no rule sets such labels".to_owned()),
        ]
    );
    // Without the label in the rule, a series may bring it.
    assert_eq!(routing.root.unreached(&[alert(&[("alertname", "C")])]), []);
}
