//! Refusals that a Grafana can be made to give.

use moko_mon::error::Code;
use moko_mon::http::grafana::{Folder, Grafana, Item};
use moko_mon::secret::Secret;
use serde_json::json;

use crate::grafana_stand_in::reset_admin_password;
use crate::harness::{Site, all, http, serve, stand_in};

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let site = Site::open("wrong").await;
    let user = site.victim().await.user;
    let grafana = Grafana::new(&http(), &site.base, &user, Secret::new("wrong"));
    let error = grafana.state(&site.content()).await.unwrap_err();
    assert_eq!(error.code, Code::GrafanaLogin);
    assert_eq!(
        error.causes[0],
        "the admin password in the secrets volume does not fit: it was changed in Grafana, or the secrets volume was lost"
    );
    // Six more calls with one client: were they sent, the user would be locked out.
    for result in all((0..6).map(|_| grafana.login_check())).await {
        assert_eq!(
            result.unwrap_err().causes,
            ["the password was refused before, and trying it again would lock the user out"]
        );
    }
    Grafana::new(&http(), &site.base, &user, Secret::new("right")).login_check().await.unwrap();
}

#[tokio::test]
async fn five_wrong_passwords_lock_the_right_one_out() {
    let site = Site::open("lock").await;
    let user = site.victim().await.user;
    let with = |password: &str| Grafana::new(&http(), &site.base, &user, Secret::new(password));
    with("right").login_check().await.unwrap();
    for _ in 0..5 {
        with("wrong").login_check().await.unwrap_err();
    }
    assert_eq!(with("right").login_check().await.unwrap_err().code, Code::GrafanaLogin);
}

#[tokio::test]
async fn the_password_counts_on_the_first_start_and_a_reset_at_once() {
    let site = Site::open("reset").await;
    if site.skip_on_real("it would need the server's command line") {
        return;
    }
    let content = site.content();
    site.client().apply_folder(&content.folder).await.unwrap();
    let restarted = stand_in(&site.data_dir, "another").await;
    assert_eq!(site.client_at(&restarted).folder(&content.folder.uid).await.unwrap(), Some(content.folder));
    reset_admin_password(&site.data_dir, "fresh").unwrap();
    site.client_at(&restarted).login_check().await.unwrap_err();
    Grafana::new(&http(), &restarted, "admin", Secret::new("fresh")).login_check().await.unwrap();
}

#[tokio::test]
async fn a_user_without_rights_is_told_so() {
    let site = Site::open("viewer").await;
    let content = site.content();
    let user = site.victim().await;
    let denied = json!({
        "accessErrorId": "ACE1", "title": "Access denied",
        "message": "You'll need additional permissions to perform this action. Permissions needed: folders:create",
    });
    // The stand-in knows the admin only.
    let base = match user.user.as_str() {
        "admin" => site.scripted(&[("POST", "/api/folders".into(), 403, denied)]).await,
        _ => site.base.clone(),
    };
    let error =
        Grafana::new(&http(), &base, &user.user, user.password).apply_folder(&content.folder).await.unwrap_err();
    assert_eq!(error.code, Code::GrafanaRefused);
    assert_eq!(
        error.to_string(),
        format!(
            "error: could not save folder `{}` in Grafana\n  \
             caused by: the login has no right to do this\n  \
             caused by: `POST {base}/api/folders` was answered with HTTP 403: You'll need additional permissions to \
             perform this action. Permissions needed: folders:create\n\
             hint: moko-mon needs the role Admin in the organization; give it back under Administration > Users",
            content.folder.title
        )
    );
}

#[tokio::test]
async fn a_data_sources_name_that_is_taken() {
    let site = Site::open("taken").await;
    let (grafana, content) = (site.client(), site.content());
    grafana.apply_data_source(&content.data_source).await.unwrap();
    let mut other = content.data_source;
    other.uid.push_str("-2");
    let error = grafana.apply_data_source(&other).await.unwrap_err();
    assert_eq!(error.causes[0], format!("another data source has the name `{}` or its uid already", other.name));
    assert!(error.causes[1].ends_with("HTTP 409: data source with the same name already exists"), "{error}");
}

#[tokio::test]
async fn a_folders_title_that_is_taken() {
    let site = Site::open("title").await;
    let (grafana, content) = (site.client(), site.content());
    grafana.apply_folder(&content.folder).await.unwrap();
    let other = Folder { uid: format!("{}-2", content.folder.uid), ..content.folder };
    match grafana.apply_folder(&other).await {
        Err(error) => {
            assert_eq!(error.causes[0], format!("another folder has the name `{}` or its uid already", other.title));
        }
        // Newer ones have nothing against it.
        Ok(()) => assert_eq!(grafana.folder(&other.uid).await.unwrap(), Some(other)),
    }
}

#[tokio::test]
async fn a_dashboard_whose_folder_is_gone() {
    let site = Site::open("gone").await;
    let (grafana, content) = (site.client(), site.content());
    let error = grafana.apply_dashboard(&content.dashboards[0], &content.folder).await.unwrap_err();
    assert_eq!(error.message, format!("could not save dashboard `{}` in Grafana", content.dashboards[0].title));
    assert_eq!(error.causes[0], "its folder is not there any more: somebody removed it meanwhile");
    assert_eq!(error.hint.as_deref(), Some("run `moko-mon up` again"));
}

#[tokio::test]
async fn a_dashboard_that_grafana_does_not_accept() {
    let site = Site::open("bad").await;
    let (grafana, content) = (site.client(), site.content());
    grafana.apply_folder(&content.folder).await.unwrap();
    let mut dashboard = content.dashboards[0].clone();
    dashboard.json["title"] = "".into();
    let error = grafana.apply_dashboard(&dashboard, &content.folder).await.unwrap_err();
    assert_eq!(error.causes[0], "Grafana does not accept the dashboard");
    assert!(error.causes[1].ends_with("HTTP 400: Dashboard title cannot be empty"), "{error}");
}

/// Up to Grafana 10, `overwrite` replaces whatever has the title in the folder, compared without case and
/// punctuation. Ours must not, whether it is new or there already.
#[tokio::test]
async fn somebody_elses_dashboard_of_the_same_title_is_left_alone() {
    let site = Site::open("same").await;
    let (grafana, content) = (site.client(), site.content());
    grafana.apply_folder(&content.folder).await.unwrap();
    for (ours, there) in content.dashboards.iter().zip([false, true]) {
        let save = |uid: &str, title: &str| {
            let dashboard = json!({ "uid": uid, "title": title, "panels": [] });
            site.post("/api/dashboards/db", json!({ "dashboard": dashboard, "folderUid": content.folder.uid }))
        };
        if there {
            assert_eq!(save(&ours.uid, "Renamed by hand").await.status, 200);
        }
        let theirs = format!("t{}", ours.uid);
        assert_eq!(save(&theirs, &format!("({}!)", ours.title.to_uppercase())).await.status, 200);
        match grafana.apply_dashboard(ours, &content.folder).await {
            Err(error) => {
                let expected = format!("another dashboard has the name `{}` or its uid already", ours.title);
                assert_eq!(error.causes[0], expected);
            }
            Ok(()) => assert!(grafana.dashboard(&ours.uid).await.unwrap().is_some()),
        }
        let left = grafana.dashboard(&theirs).await.unwrap().unwrap();
        assert_eq!((&left.json["panels"], left.version), (&json!([]), 1));
    }
}

#[tokio::test]
async fn a_dashboard_in_schema_v2_is_different_and_cannot_be_read() {
    let site = Site::open("v2").await;
    let content = site.content();
    let path = format!("/api/dashboards/uid/{}", content.dashboards[0].uid);
    let body = json!({ "message": "dashboard api version not supported, use /apis instead" });
    let base = site.scripted(&[("GET", path.clone(), 406, body.clone()), ("GET", path, 406, body)]).await;
    let grafana = site.client_at(&base);
    let state = grafana.state(&content).await.unwrap();
    assert_eq!(state.dashboards[0], Item::Different("a newer Grafana stored it in schema v2".into()));
    let error = grafana.dashboard(&content.dashboards[0].uid).await.unwrap_err();
    assert_eq!(error.causes[0], "a newer Grafana stored it in schema v2, which the classic API cannot give back");
}

#[tokio::test]
async fn an_old_grafana_is_refused_before_anything_is_changed() {
    let site = Site::open("old").await;
    let health = json!({ "commit": "x", "database": "ok", "version": "8.5.27" });
    let base = site.scripted(&[("GET", "/api/health".into(), 200, health)]).await;
    let error = site.client_at(&base).state(&site.content()).await.unwrap_err();
    assert_eq!(error.message, "this Grafana is too old for moko-mon");
}

#[tokio::test]
async fn a_grafana_without_the_call_is_too_new() {
    let site = Site::open("new").await;
    let content = site.content();
    let gone = || ("POST", "/api/dashboards/db".to_owned(), 404, json!({ "message": "Not found" }));
    let base = site.scripted(&[gone()]).await;
    let grafana = site.client_at(&base);
    let version = grafana.health().await.unwrap().unwrap();
    let error = grafana.apply_dashboard(&content.dashboards[0], &content.folder).await.unwrap_err();
    assert_eq!(
        error.causes[..2],
        [
            "this Grafana is too new for this moko-mon".to_owned(),
            format!("Grafana {version} has no such call any more")
        ]
    );
}

#[tokio::test]
async fn somebody_else_on_the_port_is_told_from_grafana() {
    let page = || async { axum::response::Html("<h1>It works!</h1>") };
    let base = serve(axum::Router::new().fallback(page)).await;
    let grafana = Grafana::new(&http(), &base, "admin", Secret::new("x"));
    for error in [grafana.health().await.unwrap_err(), grafana.login_check().await.unwrap_err()] {
        assert_eq!(error.code, Code::NotReady);
        assert_eq!(error.message, "could not talk to Grafana");
        assert_eq!(error.causes[0], "what listens there does not answer like Grafana");
        assert!(error.causes[1].ends_with("was answered with HTTP 200: <h1>It works!</h1>"), "{error}");
        assert_eq!(error.hint.as_deref(), Some("see what holds the port, or set `grafana.port` in moko-mon.yaml"));
    }
}

#[tokio::test]
async fn nobody_there_is_said_with_the_reason() {
    let grafana = Grafana::new(&http(), "http://127.0.0.1:1", "admin", Secret::new("x"));
    let error = grafana.login_check().await.unwrap_err();
    assert_eq!(error.code, Code::NotReady);
    assert_eq!(error.message, "could not talk to Grafana");
    assert_eq!(error.causes[0], "`GET http://127.0.0.1:1/api/org` was not answered");
}
