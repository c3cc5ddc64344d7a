//! Log files on S3, as EMR lays them there.
//! <https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-manage-view-web-log-files.html>

use super::reply::Cluster;
use crate::http::aws::xml;
use crate::http::encode::encode_path;

/// A place on S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: String,
    /// Without a slash before it.
    pub(super) key: String,
}

impl Place {
    /// Reads `s3://bucket/key`; EMR gives log folders as `s3n://…` or `s3a://…` too.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let rest = ["s3://", "s3n://", "s3a://"].iter().find_map(|s| uri.strip_prefix(s))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let key = key.trim_start_matches('/');
        (!bucket.is_empty()).then(|| Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// A folder below this one.
    pub(super) fn folder(&self, below: &str) -> Self {
        let mut key = self.key.trim_end_matches('/').to_owned();
        if !key.is_empty() {
            key.push('/');
        }
        key.push_str(below);
        Self { bucket: self.bucket.clone(), key }
    }

    /// `s3://bucket/key`.
    pub(super) fn uri(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// `/bucket/key`, encoded.
    pub(super) fn path(&self) -> String {
        encode_path(&format!("/{}/{}", self.bucket, self.key))
    }
}

/// The folders, below that of the cluster, which tell why its set-up failed, as the reason it gives says:
///
/// - `On the master instance (i-…), bootstrap action 1 returned a non-zero return code`
/// - `On 2 slave instances (including i-… and i-…), bootstrap action 1 …`
/// - `Master instance (i-…) failed attempting to download bootstrap action 1 file from S3`
/// - `On the master instance (i-…), application provisioning failed`
///
/// Sources: <https://github.com/Wittline/pyspark-on-aws-emr/issues/4>, <https://github.com/aws-samples/emr-bootstrap-actions/issues/220>,
/// <https://github.com/snowplow/snowplow/issues/354>.
pub(super) fn setup_folders(cluster: &Cluster) -> Vec<String> {
    let mut said = vec![cluster.status.state_change_reason.message.clone()];
    for detail in &cluster.status.error_details {
        said.push(detail.error_message.clone());
        let values = detail.error_data.iter().flat_map(|data| data.values());
        said.extend(values.filter_map(|value| value.as_str()).map(ToOwned::to_owned));
    }
    let said = said.join("\n");
    let action = said.to_lowercase().split("bootstrap action ").skip(1).find_map(leading_number);
    let folder = match action {
        Some(number) => format!("bootstrap-actions/{number}/"),
        None if said.to_lowercase().contains("application provisioning") => {
            "provision-node/".to_owned()
        }
        None => return Vec::new(),
    };
    instances(&said).into_iter().map(|id| format!("node/{id}/{folder}")).collect()
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// So many instances tell as much as all.
const ENOUGH: usize = 3;

/// The ids of instances in a text, each once.
fn instances(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    let mut ids: Vec<&str> = Vec::new();
    for word in words {
        let hex = word.strip_prefix("i-").unwrap_or("");
        if !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_alphanumeric()) && !ids.contains(&word)
        {
            ids.push(word);
        }
    }
    ids.truncate(ENOUGH);
    ids
}

/// One page of a list of objects: keys with sizes, and how to go on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) objects: Vec<(String, Option<u64>)>,
    pub(super) next: Option<String>,
}

impl Page {
    /// Reads the answer of `ListObjectsV2`; `None`: it is none.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let (_, list) = text.split_once("<ListBucketResult")?;
        let (list, _) = list.split_once("</ListBucketResult>")?;
        let object = |inside| {
            let size = xml::text(inside, "Size").and_then(|size| size.trim().parse().ok());
            Some((xml::text(inside, "Key")?, size))
        };
        let objects = xml::elements(list, "Contents").map(object).collect::<Option<_>>()?;
        let truncated = xml::text(list, "IsTruncated").is_some_and(|text| text.trim() == "true");
        let next = xml::text(list, "NextContinuationToken").filter(|_| truncated);
        Some(Self { objects, next })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places() {
        let place = |uri| Place::parse(uri).map(|place| place.folder("j-1/steps/s-1/").uri());
        let some = |uri: &str| Some(uri.to_owned());
        assert_eq!(place("s3://b/logs/emr/"), some("s3://b/logs/emr/j-1/steps/s-1/"));
        assert_eq!(place("s3n://b/logs"), some("s3://b/logs/j-1/steps/s-1/"));
        assert_eq!(place("s3a://b"), some("s3://b/j-1/steps/s-1/"));
        assert_eq!(place("s3://b//x"), some("s3://b/x/j-1/steps/s-1/"));
        for none in ["", "s3://", "s3:///x", "hdfs://b/x", "b/x"] {
            assert_eq!(place(none), None, "{none}");
        }
        let odd = Place { bucket: "b".into(), key: "a b/ü+?.gz".into() };
        assert_eq!(odd.path(), "/b/a%20b/%C3%BC%2B%3F.gz");
    }

    #[test]
    fn what_the_reason_says_of_the_set_up() {
        let folders = |message: &str, details: serde_json::Value| {
            let status =
                json!({"StateChangeReason": {"Message": message}, "ErrorDetails": details});
            let cluster = json!({"Id": "j-1", "Status": status});
            setup_folders(&serde_json::from_value(cluster).expect("it is a cluster"))
        };
        let none = || json!([]);
        for (message, expected) in [
            (
                "On the master instance (i-02093432d9c865f08), bootstrap action 1 returned a non-zero return code",
                &["node/i-02093432d9c865f08/bootstrap-actions/1/"][..],
            ),
            (
                "On 2 slave instances (including i-105af6bf and i-b659f519), bootstrap action 12 returned",
                &["node/i-105af6bf/bootstrap-actions/12/", "node/i-b659f519/bootstrap-actions/12/"],
            ),
            (
                "Master instance (i-0) failed attempting to download bootstrap action 3 file from S3",
                &["node/i-0/bootstrap-actions/3/"],
            ),
            (
                "On the master instance (i-0ddd), application provisioning timed out",
                &["node/i-0ddd/provision-node/"],
            ),
            ("On the master instance (i-0ddd), Hadoop failed to launch", &[]),
            ("bootstrap action returned, bootstrap action 2 failed on multi-tenant i-", &[]),
            ("Terminated by user request", &[]),
        ] {
            assert_eq!(folders(message, none()), expected, "{message}");
        }
        let details = json!([{"ErrorCode": "BOOTSTRAP_FAILURE_X", "ErrorMessage": "bootstrap action 2 failed",
            "ErrorData": [{"primary-instance-id": "i-77", "n": 1}, {"other": "i-77"}]}]);
        assert_eq!(folders("", details), ["node/i-77/bootstrap-actions/2/"]);
        let many = "bootstrap action 1 on i-1, i-2, i-3, i-4";
        assert_eq!(folders(many, none()).len(), ENOUGH);
    }

    #[test]
    fn lists_of_objects() {
        let text = br#"<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>
            <Contents><Key>l/&lt;x&#x3e;&#34;&apos;&nope;&.gz</Key><Size>12</Size></Contents>
            <Contents><Key>y</Key></Contents></ListBucketResult>"#;
        let page = Page::read(text).expect("it is a list");
        let objects = [("l/<x>\"'&nope;&.gz".to_owned(), Some(12)), ("y".to_owned(), None)];
        assert_eq!(page, Page { objects: objects.into(), next: Some("a&b".to_owned()) });
        let last = b"<ListBucketResult><NextContinuationToken>x</NextContinuationToken></ListBucketResult>";
        assert_eq!(Page::read(last), Some(Page::default()));
        for garbage in [
            &b""[..],
            b"<html>",
            b"\xff",
            b"<ListBucketResult><Contents><Key>x</Key></Contents>",
            b"<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        ] {
            assert_eq!(Page::read(garbage), None);
        }
    }
}
