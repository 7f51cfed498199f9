//! The exact text of every refusal. Bodies are recorded ones where a 9.4 could be made to give them.

use super::*;

const SAVE: &str = "POST http://127.0.0.1:3000/api/dashboards/db";

fn answer(request: &str, status: u16, body: &str) -> Answer {
    Answer { request: request.into(), status, body: body.into() }
}

fn about(kind: Kind, name: &'static str) -> Subject<'static> {
    Subject { kind, name }
}

/// What a user sees when saving dashboard `Scripts` is answered so.
fn saving(status: u16, body: &str) -> String {
    refusal(about(Kind::Dashboard, "Scripts"), &answer(SAVE, status, body), Some("9.4.0")).to_string()
}

/// The same without the first line, which is always the goal.
fn because(status: u16, body: &str) -> String {
    let text = saving(status, body);
    let rest = text.strip_prefix("error: could not save dashboard `Scripts` in Grafana\n  caused by: ").unwrap();
    rest.replace("`POST http://127.0.0.1:3000/api/dashboards/db` was answered with ", "… ")
}

#[test]
fn a_wrong_password() {
    let body = r#"{"message":"invalid username or password","traceID":""}"#;
    let error = refusal(Subject::SERVER, &answer("GET http://127.0.0.1:3000/api/org", 401, body), None);
    assert_eq!(error.code, Code::GrafanaLogin);
    assert_eq!(
        error.to_string(),
        "error: could not log in to Grafana\n  \
         caused by: the admin password in the secrets volume does not fit: it was changed in Grafana, or the secrets volume was lost\n  \
         caused by: `GET http://127.0.0.1:3000/api/org` was answered with HTTP 401: invalid username or password\n\
         hint: set a new one with `moko-mon password reset`\n      \
         after five wrong tries Grafana locks the login for five minutes, for the right password too"
    );
    assert_eq!(
        login_not_tried().to_string(),
        "error: could not log in to Grafana\n  \
         caused by: the password was refused before, and trying it again would lock the user out\n\
         hint: set a new one with `moko-mon password reset`"
    );
}

#[test]
fn no_right() {
    let body = r#"{"accessErrorId":"ACE1","message":"You'll need additional permissions to perform this action. Permissions needed: any of dashboards:create, dashboards:write","title":"Access denied"}"#;
    assert_eq!(
        because(403, body),
        "the login has no right to do this\n  \
         caused by: … HTTP 403: You'll need additional permissions to perform this action. Permissions needed: any of \
         dashboards:create, dashboards:write\n\
         hint: moko-mon needs the role Admin in the organization; give it back under Administration > Users"
    );
}

#[test]
fn a_data_source_from_a_file() {
    let request = "PUT http://127.0.0.1:3000/api/datasources/uid/moko-mon-prometheus";
    let answer = answer(request, 403, r#"{"message":"Cannot update read-only data source"}"#);
    assert_eq!(
        refusal(about(Kind::DataSource, "Prometheus (moko-mon)"), &answer, None).to_string(),
        "error: could not save data source `Prometheus (moko-mon)` in Grafana\n  \
         caused by: the data source is provisioned from a file, and Grafana lets nobody else change it\n  \
         caused by: `PUT http://127.0.0.1:3000/api/datasources/uid/moko-mon-prometheus` was answered with HTTP 403: \
         Cannot update read-only data source\n\
         hint: remove it from Grafana's provisioning files: moko-mon and a file cannot both own it"
    );
}

#[test]
fn too_old_and_too_new() {
    assert_eq!(
        too_old("8.5.27").to_string(),
        "error: this Grafana is too old for moko-mon\n  \
         caused by: it is version 8.5.27, the oldest supported is 9.0\n\
         hint: unset `grafana.image`, or name a newer one"
    );
    let not_found = answer(SAVE, 404, r#"{"message":"Not found"}"#);
    let dashboard = about(Kind::Dashboard, "Scripts");
    assert_eq!(
        refusal(dashboard, &not_found, Some("8.5.27")).causes[..2],
        ["this Grafana is too old for moko-mon", "it is version 8.5.27, the oldest supported is 9.0"]
    );
    for status in [404, 410] {
        let gone = answer(SAVE, status, r#"{"message":"Not found"}"#);
        assert_eq!(
            refusal(dashboard, &gone, Some("15.0.1")).to_string(),
            format!(
                "error: could not save dashboard `Scripts` in Grafana\n  \
                 caused by: this Grafana is too new for this moko-mon\n  \
                 caused by: Grafana 15.0.1 has no such call any more\n  \
                 caused by: `{SAVE}` was answered with HTTP {status}: Not found\n\
                 hint: unset `grafana.image` for the version that moko-mon was made for, or use a newer moko-mon"
            )
        );
    }
    assert_eq!(
        [is_too_old("7.5.5"), is_too_old("9.0.0"), is_too_old("9.4.0-stand-in"), is_too_old("dev")],
        [true, false, false, false]
    );
}

#[test]
fn stored_in_schema_v2() {
    let request = "GET http://127.0.0.1:3000/api/dashboards/uid/scripts";
    let answer = answer(request, 406, r#"{"message":"dashboard api version not supported, use /apis instead"}"#);
    assert_eq!(
        refusal(about(Kind::Dashboard, "Scripts"), &answer, None).to_string(),
        "error: could not read dashboard `Scripts` from Grafana\n  \
         caused by: a newer Grafana stored it in schema v2, which the classic API cannot give back\n  \
         caused by: `GET http://127.0.0.1:3000/api/dashboards/uid/scripts` was answered with HTTP 406: dashboard api \
         version not supported, use /apis instead\n\
         hint: delete the dashboard in Grafana, then run `moko-mon up` again"
    );
}

#[test]
fn somebody_was_faster() {
    let body = r#"{"message":"The dashboard has been changed by someone else","status":"version-mismatch"}"#;
    assert_eq!(
        because(412, body),
        "somebody else changed the dashboard at the same moment\n  \
         caused by: … HTTP 412: The dashboard has been changed by someone else\n\
         hint: run `moko-mon up` again"
    );
    let request = "PUT http://127.0.0.1:3000/api/datasources/uid/x";
    let message = "Datasource has already been updated by someone else. Please reload and try again";
    let changed = answer(request, 409, &format!(r#"{{"message":"{message}","traceID":""}}"#));
    let removed = answer(request, 404, r#"{"message":"Data source not found"}"#);
    let fact = |answer| refusal(about(Kind::DataSource, "P"), answer, Some("9.4.0")).causes[0].clone();
    assert_eq!(fact(&changed), "somebody else changed the data source at the same moment");
    assert_eq!(fact(&removed), "somebody removed the data source at the same moment");
}

#[test]
fn a_name_that_is_taken() {
    let body = r#"{"message":"A dashboard with the same name in the folder already exists","status":"name-exists"}"#;
    assert_eq!(
        because(412, body),
        "another dashboard has the name `Scripts` or its uid already\n  \
         caused by: … HTTP 412: A dashboard with the same name in the folder already exists\n\
         hint: rename or remove that one in Grafana, then run `moko-mon up` again"
    );
    let request = "POST http://127.0.0.1:3000/api/datasources";
    let body = r#"{"message":"data source with the same name already exists","traceID":""}"#;
    assert_eq!(
        refusal(about(Kind::DataSource, "P"), &answer(request, 409, body), None).to_string(),
        "error: could not save data source `P` in Grafana\n  \
         caused by: another data source has the name `P` or its uid already\n  \
         caused by: `POST http://127.0.0.1:3000/api/datasources` was answered with HTTP 409: data source with the \
         same name already exists\n\
         hint: rename or remove that one in Grafana, then run `moko-mon up` again"
    );
}

#[test]
fn a_folder_of_the_same_title() {
    assert_eq!(
        because(400, r#"{"message":"Dashboard name cannot be the same as folder","status":"name-match"}"#),
        "a folder has the title `Scripts`, which in this Grafana no dashboard may have then\n  \
         caused by: … HTTP 400: Dashboard name cannot be the same as folder\n\
         hint: rename one of them, then run `moko-mon up` again"
    );
}

#[test]
fn a_dashboard_of_a_plugin() {
    let body = r#"{"message":"The dashboard belongs to plugin Scripts.","status":"plugin-dashboard"}"#;
    assert_eq!(
        because(412, body),
        "a plugin owns the dashboard of that uid\n  \
         caused by: … HTTP 412: The dashboard belongs to plugin Scripts.\n\
         hint: give the dashboard another `uid`"
    );
}

#[test]
fn a_dashboard_from_a_file() {
    assert_eq!(
        because(400, r#"{"message":"Cannot save provisioned dashboard"}"#),
        "the dashboard is provisioned from a file, and Grafana lets nobody else change it\n  \
         caused by: … HTTP 400: Cannot save provisioned dashboard\n\
         hint: remove it from Grafana's provisioning files: moko-mon and a file cannot both own it"
    );
}

#[test]
fn a_body_that_is_refused() {
    for (status, message) in [(400, "bad request data"), (422, "Validation error"), (400, "uid too long")] {
        assert_eq!(
            because(status, &format!(r#"{{"message":"{message}","traceID":""}}"#)),
            format!(
                "Grafana does not accept the dashboard\n  \
                 caused by: … HTTP {status}: {message}\n\
                 hint: check the file: exported from Grafana, it can be imported again"
            )
        );
    }
}

#[test]
fn a_folder_that_is_gone() {
    // 9.4 says it with a capital and 400, with 404 for an id; newer ones in lower case.
    for (status, message) in [(400, "Folder not found"), (404, "Folder not found"), (404, "folder not found")] {
        assert_eq!(
            because(status, &format!(r#"{{"message":"{message}"}}"#)),
            format!(
                "its folder is not there any more: somebody removed it meanwhile\n  \
                 caused by: … HTTP {status}: {message}\n\
                 hint: run `moko-mon up` again"
            )
        );
    }
}

#[test]
fn somebody_else_on_the_port() {
    for (status, body) in [(404, "<html><h1>Not Found</h1></html>"), (200, "hello"), (401, "Unauthorized")] {
        let error = not_grafana(&answer("GET http://127.0.0.1:3000/api/health", status, body));
        assert_eq!(error.code, Code::NotReady);
        assert_eq!(
            error.to_string(),
            format!(
                "error: what listens there does not answer like Grafana\n  \
                 caused by: `GET http://127.0.0.1:3000/api/health` was answered with HTTP {status}: {body}\n\
                 hint: see what holds the port, or set `grafana.port` in moko-mon.yaml"
            )
        );
    }
    let nginx = answer("GET http://127.0.0.1:3000/api/org", 401, "<html>401 Authorization Required</html>");
    assert_eq!(refusal(Subject::SERVER, &nginx, None).code, Code::NotReady);
}

#[test]
fn a_failure_inside() {
    assert_eq!(
        because(500, r#"{"message":"Failed to save dashboard","traceID":""}"#),
        "Grafana failed inside\n  caused by: … HTTP 500: Failed to save dashboard\nhint: see `moko-mon logs grafana`"
    );
    let health = answer("GET http://127.0.0.1:3000/api/health", 503, r#"{ "database": "failing" }"#);
    assert_eq!(
        refusal(Subject::SERVER, &health, None).to_string(),
        "error: could not talk to Grafana\n  \
         caused by: Grafana is not ready: its database does not answer\n  \
         caused by: `GET http://127.0.0.1:3000/api/health` was answered with HTTP 503: { \"database\": \"failing\" }\n\
         hint: see `moko-mon logs grafana`"
    );
}
