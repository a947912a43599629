//! The ticket book, read.

use super::{Answer, Asked, archive, id, limit};
use crate::error::ApiError;
use crate::{App, TicketsAsk};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base::{Pii, Tenant};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tickets::{Number, Ticket};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    tenant: Option<String>,
    call: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct One {
    tenant: Option<String>,
}

pub async fn list(State(app): State<Arc<App>>, Asked(asked): Asked<List>) -> Answer<Json<Vec<Ticket>>> {
    let ask = TicketsAsk {
        tenant: asked.tenant.as_deref().map(id).transpose()?,
        call: asked.call.as_deref().map(id).transpose()?,
        limit: limit(asked.limit)?,
    };
    archive(&app, move |a| a.tickets(&ask)).await.map(Json)
}

/// A ticket, and what the network said about its call.
#[derive(Serialize)]
pub struct Shown {
    #[serde(flatten)]
    ticket: Ticket,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_to_user: Option<Pii<Arc<str>>>,
}

/// Every tenant counts from 1, so a number alone may not be enough.
pub async fn show(State(app): State<Arc<App>>, Path(number): Path<String>, Asked(asked): Asked<One>) -> Answer<Json<Shown>> {
    let number: Number = number.parse().map_err(|e: String| ApiError::bad(e, "a ticket's number such as T-000001"))?;
    let tenant: Option<Tenant> = asked.tenant.as_deref().map(id).transpose()?;
    let mut found = archive(&app, move |a| a.ticket(number)).await?;
    found.retain(|ticket| tenant.as_ref().is_none_or(|tenant| ticket.tenant == *tenant));
    if found.len() > 1 {
        let tenants: Vec<String> = found.iter().map(|t| t.tenant.to_string()).collect();
        let expected = format!("?tenant= with one of {}", tenants.join(", "));
        return Err(ApiError::new(StatusCode::CONFLICT, format!("several tenants have a ticket {number}"), expected));
    }
    let ticket = found.pop().ok_or_else(|| ApiError::unknown(format!("ticket {number}"), "/api/v1/tickets"))?;
    let call = ticket.call;
    let user_to_user = archive(&app, move |a| a.user_to_user(call)).await?;
    Ok(Json(Shown { ticket, user_to_user }))
}
