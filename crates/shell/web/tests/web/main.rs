//! The web shell from outside: by plain HTTP, and in a browser.

mod acts;
mod api;
mod browser;
mod driver;
mod fakes;
mod http;
mod page;
