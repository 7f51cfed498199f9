//! `up` from nothing, and again.

use crate::support::Lab;

#[test]
fn a_fresh_up_does_everything_once_and_says_where_it_is() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.run(&["up"]).text(), @"");
}
