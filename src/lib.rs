//! `moko-mon`: monitoring for a team's scripts.

pub mod component;
pub mod config;
pub mod error;
pub mod http;
pub mod secret;
pub mod yaml;
