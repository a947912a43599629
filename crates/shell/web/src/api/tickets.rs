//! The ticket book, read.

use super::{Answer, Asked, archive, id, limit};
use crate::error::ApiError;
use crate::{App, TicketsAsk};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use std::sync::Arc;
use tickets::Ticket;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    call: Option<String>,
    limit: Option<usize>,
}

pub async fn list(State(app): State<Arc<App>>, Asked(asked): Asked<List>) -> Answer<Json<Vec<Ticket>>> {
    let ask = TicketsAsk { call: asked.call.as_deref().map(id).transpose()?, limit: limit(asked.limit)? };
    archive(&app, move |a| a.tickets(&ask)).await.map(Json)
}

pub async fn show(State(app): State<Arc<App>>, Path(number): Path<String>) -> Answer<Json<Ticket>> {
    let number: u64 = number.parse().map_err(|_| ApiError::bad(format!("\"{number}\" is no ticket"), "a ticket's number"))?;
    let ticket = archive(&app, move |a| a.ticket(number)).await?;
    ticket.map(Json).ok_or_else(|| ApiError::unknown(format!("ticket {number}"), "/api/v1/tickets"))
}
