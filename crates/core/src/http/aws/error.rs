//! What AWS says when it says no, and what that means: one table for all services.

use super::{Service, xml};
use crate::fabric::ErrorKind;
use crate::http::Reply;

/// A refusal as AWS words it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refused {
    /// Such as `ValidationException`, without what stands before it.
    pub(super) code: Option<String>,
    /// EMR's own code within an `InvalidRequestException`, such as `NoSuchCluster`.
    pub(super) detail: Option<String>,
    pub(super) message: String,
}

/// The longest message that is handed on.
const LONGEST: usize = 1_000;

impl Refused {
    /// Reads the JSON of EMR or the XML of S3 and STS; the code may stand in a header instead.
    pub(super) fn read(service: Service, reply: &Reply) -> Self {
        let text = String::from_utf8_lossy(&reply.body);
        let mut refused = match service {
            Service::Emr => Self::of_json(&text),
            Service::S3 | Service::Sts => Self {
                code: xml::text(&text, "Code"),
                detail: None,
                message: xml::text(&text, "Message").unwrap_or_default(),
            },
        };
        let header = reply.header("x-amzn-errortype").map(str::to_owned);
        refused.code = refused.code.or(header).map(|code| bare(&code)).filter(|it| !it.is_empty());
        refused.message = one_line(&refused.message);
        refused
    }

    fn of_json(text: &str) -> Self {
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let text = |names: [&str; 2]| {
            let found = names.iter().find_map(|name| value.get(name)?.as_str());
            found.map(str::to_owned)
        };
        Self {
            code: text(["__type", "code"]),
            detail: text(["ErrorCode", "errorCode"]),
            message: text(["message", "Message"]).unwrap_or_default(),
        }
    }

    /// Whether AWS says that it did nothing because there was too much at once.
    pub(super) fn is_throttle(&self, status: u16) -> bool {
        let words = ["Rate exceeded", "Throughput exceeded", "Request rate is too high"];
        status == 429
            || self.codes().any(is_throttle)
            || words.iter().any(|it| self.message.starts_with(it))
    }

    /// Whether a corrected clock may help.
    pub(super) fn is_of_time(&self) -> bool {
        self.codes().any(|code| {
            matches!(
                code,
                "RequestTimeTooSkewed"
                    | "InvalidSignatureException"
                    | "SignatureDoesNotMatch"
                    | "RequestExpired"
                    | "RequestInTheFuture"
            )
        }) || self.message.starts_with("Signature expired")
            || self.message.starts_with("Signature not yet current")
    }

    /// What it means, by code, else by status.
    pub(super) fn kind(&self, status: u16) -> ErrorKind {
        if self.is_throttle(status) {
            return ErrorKind::Quota;
        }
        // The more exact one counts.
        let known =
            [self.detail.as_deref(), self.code.as_deref()].into_iter().flatten().find_map(kind);
        known.unwrap_or(match status {
            401 | 403 => ErrorKind::Auth,
            404 => ErrorKind::NotFound,
            409 | 412 => ErrorKind::Conflict,
            400..500 => ErrorKind::Config,
            _ => ErrorKind::Unavailable,
        })
    }

    /// In words; `None` if AWS said nothing that can be told.
    pub(super) fn words(&self) -> Option<String> {
        let code = self.code.as_deref()?;
        let code = match &self.detail {
            Some(detail) => format!("`{code}`, `{detail}`"),
            None => format!("`{code}`"),
        };
        match (self.is_of_time(), self.message.as_str()) {
            // It may quote the request with all its headers.
            (true, _) | (false, "") => Some(code),
            (false, message) => Some(format!("{code}: {message}")),
        }
    }

    fn codes(&self) -> impl Iterator<Item = &str> {
        [&self.code, &self.detail].into_iter().filter_map(|code| code.as_deref())
    }
}

/// Whether newer credentials may help.
pub(super) fn is_of_expiry(code: Option<&str>) -> bool {
    matches!(code, Some("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired"))
}

/// The name that AWS gave the request.
pub(super) fn request_id(reply: &Reply) -> Option<String> {
    let names = ["x-amzn-requestid", "x-amz-request-id", "x-amz-id-2"];
    names.iter().find_map(|name| reply.header(name)).map(str::to_owned)
}

/// `com.amazonaws.emr#ValidationException:http://…` without what is around it.
fn bare(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().trim().to_owned()
}

fn one_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default().trim();
    line.chars().take(LONGEST).collect()
}

/// The codes for which AWS's own clients slow down (`retryhandler` of `botocore`, mode `standard`).
fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "PriorRequestNotComplete"
            | "SlowDown"
            | "EC2ThrottledException"
    )
}

fn kind(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "AccountProblem"
        | "AllAccessDisabled"
        | "AuthFailure"
        | "AuthorizationHeaderMalformed"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "ForbiddenException"
        | "IDPRejectedClaim"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidIdentityToken"
        | "InvalidSignatureException"
        | "InvalidToken"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "TokenRefreshRequired"
        | "UnauthorizedException"
        | "UnauthorizedOperation"
        | "UnrecognizedClientException" => ErrorKind::Auth,
        "ClusterNotFound"
        | "EntityNotFoundException"
        | "NoSuchBucket"
        | "NoSuchCluster"
        | "NoSuchKey"
        | "NoSuchStep"
        | "NotFound"
        | "ResourceNotFoundException" => ErrorKind::NotFound,
        "ConflictException" | "OperationAborted" | "ResourceInUseException" => ErrorKind::Conflict,
        "LimitExceededException" | "ServiceQuotaExceededException" => ErrorKind::Quota,
        "IDPCommunicationError"
        | "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServerException"
        | "InternalServiceException"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => ErrorKind::Unavailable,
        "UnknownOperationException" | "InvalidAction" | "NotImplemented" => ErrorKind::Unsupported,
        "InvalidRequestException" | "ValidationError" | "ValidationException" => ErrorKind::Config,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(service: Service, headers: &[(&str, &str)], body: &str) -> Refused {
        let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Refused::read(service, &Reply { status: 400, headers, body: body.into() })
    }

    #[test]
    fn shapes() {
        let refused = |code: &str, detail: Option<&str>, message: &str| Refused {
            code: Some(code.to_owned()),
            detail: detail.map(str::to_owned),
            message: message.to_owned(),
        };
        for body in [
            r#"{"__type":"ValidationException","message":"m"}"#,
            r#"{"__type":"com.amazonaws.elasticmapreduce#ValidationException","Message":"m\nmore"}"#,
            r#"{"code":"ValidationException:http://internal.amazon.com/","message":"m"}"#,
        ] {
            assert_eq!(read(Service::Emr, &[], body), refused("ValidationException", None, "m"));
        }
        let header = [("x-amzn-errortype", "ValidationException:http://x/")];
        assert_eq!(
            read(Service::Emr, &header, r#"{"message":"m"}"#),
            refused("ValidationException", None, "m")
        );
        let body = r#"{"__type":"InvalidRequestException","ErrorCode":"NoSuchCluster","Message":"Cluster id 'j-BAD' is not valid."}"#;
        let no_cluster = read(Service::Emr, &[], body);
        let message = "Cluster id 'j-BAD' is not valid.";
        assert_eq!(no_cluster, refused("InvalidRequestException", Some("NoSuchCluster"), message));
        assert_eq!(no_cluster.kind(400), ErrorKind::NotFound);
        assert_eq!(
            no_cluster.words().as_deref(),
            Some("`InvalidRequestException`, `NoSuchCluster`: Cluster id 'j-BAD' is not valid.")
        );
        let s3 = "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>The &quot;key&quot;</Message><Key>x</Key></Error>";
        assert_eq!(read(Service::S3, &[], s3), refused("NoSuchKey", None, "The \"key\""));
        let sts = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        assert_eq!(read(Service::Sts, &[], sts), refused("AccessDenied", None, "no"));
        for garbage in ["", "<html><body>nginx</body></html>", "[1]", "{\"__type\":7}", "null"] {
            assert_eq!(read(Service::Emr, &[], garbage), Refused::default(), "{garbage}");
        }
    }

    #[test]
    fn kinds() {
        let kind = |code: &str, status| {
            Refused { code: Some(code.to_owned()), ..Refused::default() }.kind(status)
        };
        for (code, status, expected) in [
            ("ThrottlingException", 400, ErrorKind::Quota),
            ("SlowDown", 503, ErrorKind::Quota),
            ("Whatever", 429, ErrorKind::Quota),
            ("AccessDeniedException", 400, ErrorKind::Auth),
            ("Whatever", 403, ErrorKind::Auth),
            ("ValidationException", 400, ErrorKind::Config),
            ("Whatever", 400, ErrorKind::Config),
            ("NoSuchBucket", 404, ErrorKind::NotFound),
            ("InternalServerException", 400, ErrorKind::Unavailable),
            ("Whatever", 500, ErrorKind::Unavailable),
        ] {
            assert_eq!(kind(code, status), expected, "{code} {status}");
        }
        let throughput =
            Refused { message: "Throughput exceeded".to_owned(), ..Refused::default() };
        assert_eq!(throughput.kind(400), ErrorKind::Quota);
    }

    #[test]
    fn what_quotes_the_request_is_not_told() {
        let body = r#"{"__type":"InvalidSignatureException","message":"The Canonical String should have been x-amz-security-token:hunter2"}"#;
        assert_eq!(
            read(Service::Emr, &[], body).words().as_deref(),
            Some("`InvalidSignatureException`")
        );
    }
}
