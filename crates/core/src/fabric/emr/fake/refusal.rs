//! What the fake says when it refuses a call.

use serde_json::{Map, Value, json};

/// An error of AWS, before it is put into the words of one of its services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Such as `ValidationException`.
    pub code: &'static str,
    /// The `ErrorCode` that EMR's `InvalidRequestException` has beside its name.
    pub error_code: Option<&'static str>,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// Any error.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, error_code: None, message: message.into() }
    }

    /// A value that may not be so.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// A body that does not fit the operation's shape.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    /// EMR's error for what it does not know or cannot do.
    pub fn invalid(error_code: &'static str, message: impl Into<String>) -> Self {
        let error_code = Some(error_code);
        Self { error_code, ..Self::new(400, "InvalidRequestException", message) }
    }

    /// The operations with `JobFlow` in their name and the later ones name an unknown cluster differently.
    pub fn no_such_cluster(operation: &str, id: &str) -> Self {
        if operation.contains("JobFlow") {
            Self::validation(if looks_like_a_cluster(id) {
                "Specified job flow ID does not exist."
            } else {
                "Specified job flow ID not valid."
            })
        } else {
            Self::invalid("NoSuchCluster", format!("Cluster id '{id}' is not valid."))
        }
    }

    /// An unknown step.
    pub fn no_such_step(id: &str) -> Self {
        Self::invalid("NoSuchStep", format!("Step id '{id}' is not valid."))
    }

    /// Too many requests.
    pub fn throttled() -> Self {
        Self::new(400, "ThrottlingException", "Rate exceeded")
    }

    /// The caller may not.
    pub fn denied(action: &str, resource: &str) -> Self {
        let message = format!(
            "User: arn:aws:iam::123456789012:user/fake is not authorized to perform: {action} on resource: \
             {resource} because no identity-based policy allows the {action} action"
        );
        Self::new(400, "AccessDeniedException", message)
    }

    /// The body of a reply in JSON 1.1.
    pub fn json(&self) -> Value {
        let mut body = Map::new();
        body.insert("__type".to_owned(), json!(self.code));
        if let Some(code) = self.error_code {
            body.insert("ErrorCode".to_owned(), json!(code));
        }
        // EMR's modelled errors say `Message`, the errors that all services share say `message`.
        let member = if self.error_code.is_some() { "Message" } else { "message" };
        body.insert(member.to_owned(), json!(self.message));
        Value::Object(body)
    }
}

fn looks_like_a_cluster(id: &str) -> bool {
    id.strip_prefix("j-").is_some_and(|rest| {
        (5..=20).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}
