//! The rules that driving and judging rely on, checked on a finished plan.

use std::collections::HashMap;

use record::{Load, Plan, PlannedRequest, PrefixReuse, Release};

use super::{PlanError, prompt::HEAD_UNITS};
use crate::corpus;

/// Checks a plan: as many requests as its load says, each `id` its place, each release after an earlier request or in the order of time,
/// no two prompts with the same head, and each turn of a conversation a continuation of the turn before it.
pub fn check(plan: &Plan) -> Result<(), PlanError> {
    check_all(plan).map_err(|why| PlanError::Broken { cell: plan.cell.name(), why })
}

fn check_all(plan: &Plan) -> Result<(), String> {
    let requests = &plan.requests;
    if requests.len() != plan.cell.load.requests() as usize {
        return Err(format!("{} requests instead of {}", requests.len(), plan.cell.load.requests()));
    }
    if let Some((place, request)) = (0u32..).zip(requests).find(|(place, request)| request.id != *place) {
        return Err(format!("request {} stands at place {place}", request.id));
    }
    if let Some(request) = requests.iter().find(|request| request.messages.is_empty() || request.output_tokens == 0) {
        return Err(format!("request {} asks for nothing", request.id));
    }
    check_releases(plan)?;
    if plan.cell.prefix_reuse == PrefixReuse::Allowed {
        requests.iter().try_for_each(|request| check_turn(request, requests))?;
    }
    check_heads(plan)
}

fn check_releases(plan: &Plan) -> Result<(), String> {
    let mut before_ns = 0;
    for request in &plan.requests {
        match request.release {
            Release::At { t_ns } if t_ns < before_ns => {
                return Err(format!("request {} is earlier than the one before", request.id));
            }
            Release::At { t_ns } => before_ns = t_ns,
            Release::After { request: earlier } if earlier >= request.id => {
                return Err(format!("request {} waits for {earlier}, which does not come before it", request.id));
            }
            Release::After { .. } if plan.cell.load.is_open() => {
                return Err(format!("request {} of an open loop waits for another", request.id));
            }
            Release::After { .. } => {}
        }
    }
    Ok(())
}

fn check_turn(request: &PlannedRequest, requests: &[PlannedRequest]) -> Result<(), String> {
    let Release::After { request: before } = request.release else { return Ok(()) };
    if request.messages.starts_with(&requests[before as usize].messages) {
        Ok(())
    } else {
        Err(format!("request {} does not continue request {before}", request.id))
    }
}

/// Later turns share their head with their own first turn on purpose; all other heads are compared.
fn check_heads(plan: &Plan) -> Result<(), String> {
    let reuse = matches!(plan.cell.load, Load::Conversations { .. }) && plan.cell.prefix_reuse == PrefixReuse::Allowed;
    let mut heads = HashMap::new();
    for request in &plan.requests {
        if reuse && matches!(request.release, Release::After { .. }) {
            continue;
        }
        let head: Vec<&str> = corpus::split(&request.messages[0].content).take(HEAD_UNITS).collect();
        if let Some(other) = heads.insert(head, request.id) {
            return Err(format!("the prompts of requests {other} and {} begin alike", request.id));
        }
    }
    Ok(())
}
