//! Grafana's login: kept, changed behind our back, reset.

use crate::support::{Lab, Status};

/// The answers of Grafana that refuse a login, since the last look.
fn refused(lab: &Lab) -> Vec<String> {
    let requests = lab.engine.with(|state| std::mem::take(&mut *state.grafana_requests.lock().unwrap()));
    requests.into_iter().filter(|line| line.starts_with("401")).collect()
}

#[test]
fn a_password_changed_elsewhere_is_tried_once_and_named_with_the_way_out() {
    let lab = Lab::up();
    lab.engine.with(|state| state.change_grafana_password("somebody else's"));
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: could not log in to Grafana
      caused by: the admin password in the secrets volume does not fit: it was changed in Grafana, or the secrets volume was lost
      caused by: `GET http://127.0.0.1:3000/api/org` was answered with HTTP 401: invalid username or password
    hint: set a new one with `moko-mon password reset`
          after five wrong tries Grafana locks the login for five minutes, for the right password too
    ");
    assert_eq!(refused(&lab), ["401 GET /api/org"]);
    let (output, envelope) = lab.json(&["up"]);
    assert_eq!((output.code(), envelope["error"]["code"].as_str()), (1, Some("grafana_login")));
    assert_eq!(refused(&lab).len(), 1);
    assert_eq!(lab.command(&["up"]).env("MOKO_MON_IMAGES_PULL", "always").run().code(), 1);
    assert_eq!(refused(&lab).len(), 1, "with a pull before it");
    // The rest of the stack is still brought up.
    lab.engine.set_status("moko-mon-prometheus", Status::Exited);
    assert_eq!(lab.run(&["up"]).code(), 1);
    assert_eq!(lab.engine.with(|state| state.named("moko-mon-prometheus").unwrap().status), Status::Running);
    assert_eq!(refused(&lab).len(), 1, "the user would be locked out after five");
}

#[test]
fn a_container_made_anew_on_the_old_data_tries_the_login_once() {
    let lab = Lab::up();
    lab.engine.with(|state| state.change_grafana_password("somebody else's"));
    lab.engine.remove("moko-mon-grafana");
    insta::assert_snapshot!(lab.run(&["up"]).error(), @"
    error: could not bring up Grafana
      caused by: could not log in to Grafana
      caused by: the admin password in the secrets volume does not fit: it was changed in Grafana, or the secrets volume was lost
      caused by: `POST http://127.0.0.1:3000/api/datasources` was answered with HTTP 401: invalid username or password
    hint: set a new one with `moko-mon password reset`
          after five wrong tries Grafana locks the login for five minutes, for the right password too
    ");
    assert_eq!(refused(&lab).len(), 1);
}

#[test]
fn reset_gives_grafana_a_new_password_that_works_and_is_kept() {
    let lab = Lab::up();
    let old = lab.engine.password();
    lab.engine.with(|state| state.change_grafana_password("somebody else's"));
    let output = lab.run(&["password", "reset"]).successful();
    let new = lab.engine.password();
    assert_ne!(old, new);
    assert_eq!(output.stdout, format!("Grafana's login is now admin / {new}\n"));
    let file = lab.engine.file("moko-mon-grafana-secrets", "admin-password").unwrap();
    assert_eq!(file.owner, (472, 0, 0o400));
    assert_eq!(refused(&lab), [""; 0]);
    lab.converges();
    assert_eq!(lab.run(&["password", "show"]).stdout, format!("admin / {new}\n"));
    let (_, envelope) = lab.json(&["password", "reset"]);
    assert_eq!(envelope["data"]["password"], lab.engine.password());
}

#[test]
fn a_reset_needs_a_grafana_that_runs() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["password", "reset"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: project `moko-mon` has no Grafana container
    hint: bring the stack up with `moko-mon up`; its password is kept with its data
    ");
    lab.run(&["up"]).succeeds();
    lab.engine.set_status("moko-mon-grafana", Status::Exited);
    insta::assert_snapshot!(lab.run(&["password", "reset"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: Grafana has to run to be given a new password
      caused by: container `moko-mon-grafana` is exited
    hint: start it with `moko-mon up`
    ");
    // The password can be read from a container that does not run.
    assert_eq!(lab.run(&["password", "show"]).stdout, format!("admin / {}\n", lab.engine.password()));
}

#[test]
fn a_password_file_that_is_lost_leads_to_a_reset() {
    let lab = Lab::up();
    lab.engine.with(|state| {
        state.volumes.get_mut("moko-mon-grafana-secrets").unwrap().files.remove("admin-password");
    });
    insta::assert_snapshot!(lab.run(&["password", "show"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    error: the secrets volume has no Grafana password
    hint: make a new one with `moko-mon password reset`
    ");
    insta::assert_snapshot!(lab.run(&["up", "--dry-run"]).stdout, @"
    grafana       generate  /run/secrets/moko-mon/admin-password         unless the volume has it
    grafana       import    data source moko-mon-prometheus              checked once Grafana answers
    grafana       import    folder moko-mon                              checked once Grafana answers
    grafana       import    dashboard moko-standards-monitoring          checked once Grafana answers
    ");
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"
    exit 1
    --- stdout

    --- stderr
    grafana       generate  /run/secrets/moko-mon/admin-password
    grafana       import    data source moko-mon-prometheus              failed
    error: could not bring up Grafana
      caused by: could not log in to Grafana
      caused by: the admin password in the secrets volume does not fit: it was changed in Grafana, or the secrets volume was lost
      caused by: `POST http://127.0.0.1:3000/api/datasources` was answered with HTTP 401: invalid username or password
    hint: set a new one with `moko-mon password reset`
          after five wrong tries Grafana locks the login for five minutes, for the right password too
    ");
    assert_eq!(refused(&lab).len(), 1);
    lab.run(&["password", "reset"]).succeeds();
    lab.converges();
}
