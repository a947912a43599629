//! The ticket book's rows: read by anyone, changed by the rules' consumer and by hand.

use crate::error::{Result, StoreError};
use crate::store::Store;
use base::{CallId, Tenant, Wall};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;
use tickets::{Act, Number, Refused, State, Ticket};

/// Which tickets, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketFilter {
    pub tenant: Option<Tenant>,
    pub number: Option<Number>,
    pub call: Option<CallId>,
    pub state: Option<State>,
    pub limit: usize,
}

impl Store {
    pub fn tickets(&self, filter: &TicketFilter) -> Result<Vec<Ticket>> {
        let sql = "SELECT json FROM ticket WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR number = ?2) \
                   AND (?3 IS NULL OR call = ?3) AND (?4 IS NULL OR state = ?4) ORDER BY opened DESC, number DESC LIMIT ?5";
        let db = self.db();
        let mut rows = db.prepare_cached(sql)?;
        let values = params![
            filter.tenant.as_ref().map(Tenant::as_str),
            filter.number.map(|n| n.0),
            filter.call.map(|c| c.to_string()),
            filter.state.map(|s| s.to_string()),
            i64::try_from(filter.limit).unwrap_or(i64::MAX),
        ];
        rows.query_map(values, json)?.map(|row| parse(&row?)).collect()
    }

    pub fn ticket(&self, tenant: &Tenant, number: Number) -> Result<Option<Ticket>> {
        read(&self.db(), tenant, number)
    }

    pub fn tickets_of_call(&self, call: CallId) -> Result<Vec<Ticket>> {
        self.tickets(&TicketFilter { call: Some(call), limit: usize::MAX, ..TicketFilter::default() })
    }

    /// How many tickets are in each state; together those ever opened.
    pub fn ticket_counts(&self) -> Result<BTreeMap<String, u64>> {
        let db = self.db();
        let mut rows = db.prepare_cached("SELECT state, COUNT(*) FROM ticket GROUP BY state")?;
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A step by hand. None if there is no such ticket; the ticket's refusal is the inner error.
    pub fn act_on_ticket(
        &self,
        at: Wall,
        by: &str,
        tenant: &Tenant,
        number: Number,
        act: Act,
    ) -> Result<Option<std::result::Result<Ticket, Refused>>> {
        let (by, tenant) = (by.to_string(), tenant.clone());
        self.write(move |tx| {
            let Some(mut ticket) = read(tx, &tenant, number)? else { return Ok(None) };
            if let Err(refused) = ticket.act(at, &by, act) {
                return Ok(Some(Err(refused)));
            }
            write(tx, &ticket)?;
            Ok(Some(Ok(ticket)))
        })
    }
}

pub(crate) fn read(db: &Connection, tenant: &Tenant, number: Number) -> Result<Option<Ticket>> {
    let mut row = db.prepare_cached("SELECT json FROM ticket WHERE tenant = ?1 AND number = ?2")?;
    row.query_row(params![tenant.as_str(), number.0], json).optional()?.map(|json| parse(&json)).transpose()
}

/// Whether the call has a ticket of the tenant.
pub(crate) fn has(db: &Connection, tenant: &Tenant, call: CallId) -> Result<bool> {
    let mut row = db.prepare_cached("SELECT 1 FROM ticket WHERE call = ?1 AND tenant = ?2")?;
    Ok(row.exists(params![call.to_string(), tenant.as_str()])?)
}

/// Writes the ticket as it is now; a second ticket of a call is an error.
pub(crate) fn write(db: &Connection, ticket: &Ticket) -> Result<()> {
    let sql = "INSERT INTO ticket (tenant, number, call, state, opened, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (tenant, number) DO UPDATE SET state = excluded.state, json = excluded.json";
    let json = serde_json::to_string(ticket).map_err(StoreError::row("a ticket"))?;
    let (tenant, call, state) = (ticket.tenant.as_str(), ticket.call.to_string(), ticket.state.to_string());
    db.prepare_cached(sql)?.execute(params![tenant, ticket.number.0, call, state, ticket.opened.0, json])?;
    Ok(())
}

fn json(row: &Row) -> rusqlite::Result<String> {
    row.get(0)
}

fn parse(json: &str) -> Result<Ticket> {
    serde_json::from_str(json).map_err(StoreError::row("a ticket"))
}
