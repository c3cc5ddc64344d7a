//! The rules that an input can break: one table for messages, machine-readable output and docs/diagnostics.md.

use std::fmt;

/// A rule that an input can break, by the stable kebab-case name that users see, such as `unknown-field`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The code of that name, if there is one.
    pub fn of(name: &str) -> Option<Self> {
        ALL.iter().map(|(code, _)| *code).find(|code| code.0 == name)
    }

    /// What is wrong where it is reported: a lowercase fragment for lists of rules.
    pub fn summary(self) -> &'static str {
        ALL.iter().find(|(code, _)| *code == self).map_or("", |(_, summary)| summary)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl PartialEq<&str> for Code {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

macro_rules! codes {
    ($($name:ident $code:literal $summary:literal)*) => {
        $(#[doc = concat!("`", $code, "`: ", $summary, ".")]
        pub const $name: Code = Code($code);)*

        /// Every rule with what is wrong where it is reported, in the order of docs/diagnostics.md.
        pub const ALL: &[(Code, &str)] = &[$(($name, $summary)),*];
    };
}

codes! {
    CANNOT_READ_FILE "cannot-read-file" "a file that cannot be read"
    NOT_UTF_8 "not-utf-8" "a text that is not UTF-8"
    WRONG_KIND_OF_FILE "wrong-kind-of-file" "a playbook where a cluster file is needed, or the other way round"
    UNUSED_VARIABLE "unused-variable" "a variable that no file uses"
    VARIABLE_GIVEN_TWICE "variable-given-twice" "a variable that is given more than once"
    ENVIRONMENT_VARIABLE_NOT_SET "environment-variable-not-set" "a variable that is to be taken from an environment variable that is not set"
    VARIABLES_FILE "variables-file" "a file of variables that cannot be read or understood"

    TEMPLATE_PARSE "template-parse" "a text that is not a template"
    TEMPLATE_EXEC "template-exec" "a template that cannot be rendered with these variables"
    TEMPLATE_LIMIT "template-limit" "a template that asks for more than its limits"

    JSON_EMPTY "json-empty" "a file without a value"
    JSON_BOM "json-bom" "a byte order mark"
    JSON_COMMENT "json-comment" "a comment"
    JSON_CONTROL_CHARACTER "json-control-character" "a control character in a string"
    JSON_DEPTH "json-depth" "values that are nested too deeply"
    JSON_ESCAPE "json-escape" "an escape that JSON does not have"
    JSON_EXTRA_COMMA "json-extra-comma" "a comma without a value before it"
    JSON_LITERAL "json-literal" "a word that is no value"
    JSON_MISSING_COLON "json-missing-colon" "a key without a colon behind it"
    JSON_MISSING_COMMA "json-missing-comma" "two values without a comma between them"
    JSON_NUMBER "json-number" "a number that JSON writes otherwise"
    JSON_SINGLE_QUOTES "json-single-quotes" "a string in single quotes"
    JSON_SURROGATE "json-surrogate" "half of a surrogate pair"
    JSON_TRAILING_COMMA "json-trailing-comma" "a comma behind the last value"
    JSON_TRAILING_TEXT "json-trailing-text" "text behind the end of the value"
    JSON_UNCLOSED "json-unclosed" "a bracket or a string that is never closed"
    JSON_UNEXPECTED "json-unexpected" "something that cannot be here"
    JSON_UNQUOTED_KEY "json-unquoted-key" "a key without quotes"
    TOO_MANY_FAULTS "too-many-faults" "more faults than are shown"

    MISSING_SCHEMA "missing-schema" "a file that does not say what it is"
    UNKNOWN_SCHEMA "unknown-schema" "a schema that is not known"
    WRONG_TYPE "wrong-type" "a value of another type than the schema says"
    MISSING_FIELD "missing-field" "a field that is needed and not there"
    UNKNOWN_FIELD "unknown-field" "a field that the schema does not have"
    DUPLICATE_KEY "duplicate-key" "a key that is there twice"
    MISCASED_KEY "miscased-key" "a key with other upper and lower case than the schema's"
    UNKNOWN_SYMBOL "unknown-symbol" "a word that is not one of those to choose from"
    NOT_AN_INTEGER "not-an-integer" "a number with a fraction where an integer is needed"
    NUMBER_RANGE "number-range" "a number that is too small or too large"
    NOT_BYTES "not-bytes" "a string that stands for bytes and has other characters"
    ENDLESS_DEFAULT "endless-default" "a default that holds itself"

    EMPTY_FIELD "empty-field" "a field that is absent and taken for empty"
    EMPTY_VALUE "empty-value" "a value that must not be empty"
    NUL_CHARACTER "nul-character" "a NUL character, which no program can be given"
    ONE_OF_FIELDS "one-of-fields" "none, or more than one, of fields of which one is needed"
    WRONG_FIELD "wrong-field" "a field that steps of this type do not have"
    SECRET_IN_NAME "secret-in-name" "a secret where it would be shown"

    NO_STEPS "no-steps" "a playbook without steps"
    STEP_TYPE "step-type" "a type of step that EMR does not look at"
    ACTION_ON_FAILURE "action-on-failure" "a rule for failures that 1-*-* playbooks do not have"
    BAD_ID "bad-id" "an id of a step that is not made of letters, digits, `-`, `_` and `.`"
    DUPLICATE_ID "duplicate-id" "two steps with one id"
    BAD_DEPENDENCY "bad-dependency" "a name in `dependsOn` that cannot be the id of a step"
    UNKNOWN_STEP "unknown-step" "a name in `dependsOn` that is no step of this playbook"
    DEPENDENCY_CYCLE "dependency-cycle" "steps that wait for each other"
    EXIT_CODE "exit-code" "an exit code that no program can have"
    EXIT_CODE_TWICE "exit-code-twice" "an exit code that means two things"
    NO_EXIT_CODE "no-exit-code" "a rule for results without a code that goes on"
    NOT_A_FILE "not-a-file" "a folder, or something else that is not a file, beside the playbook"
    MISSING_FILE "missing-file" "a file that is not there"
    DUPLICATE_FILE "duplicate-file" "two files of a step with one name"
    OWN_PROPERTY "own-property" "a property that the program sets itself"
    COPY_PATTERN "copy-pattern" "a pattern of COPY that this fabric cannot look for"
    UNMAPPED_URI "unmapped-uri" "a URI that means nothing on this fabric"
    STEP_LENGTH "step-length" "a step with more text than the fabric takes"
    FILES_NOT_ON_FABRIC "files-not-on-fabric" "files for a step of a type that takes none there"

    STEP_TYPE_NOT_ON_FABRIC "step-type-not-on-fabric" "a type of step that the fabric does not run"
    FAILURE_RULE_NOT_ON_FABRIC "failure-rule-not-on-fabric" "a rule for failures that the fabric cannot follow"
    NO_EXIT_CODES_ON_FABRIC "no-exit-codes-on-fabric" "a rule on exit codes where the fabric tells none"
    NO_CANCEL_ON_FABRIC "no-cancel-on-fabric" "a time limit where the fabric cannot stop a step"
    NO_CLUSTERS "no-clusters" "`up` or `down` where the fabric has no clusters"
    WRONG_FABRIC "wrong-fabric" "files of a fabric that this command is not for"

    ENVIRONMENT_NAME "environment-name" "a name that no environment variable can have"
    ROOT_PREFIX "root-prefix" "a root that is not for the beginning of a URI"
    MISSING_TOOL "missing-tool" "a program that is not on this machine"
    MISSING_ARGUMENT "missing-argument" "an argument that is needed and not there"
    UNKNOWN_OPTION "unknown-option" "an option that the built-in s3-dist-cp does not have"
    OPTION_VALUE "option-value" "a value that an option of the built-in s3-dist-cp cannot have"
    OPTION_PATTERN "option-pattern" "a pattern that is no regular expression, or one that cannot be used on this machine"
    OPTION_IGNORED "option-ignored" "an option of s3-dist-cp that does nothing on this machine"

    AMI_VERSION "ami-version" "a text that is no release of EMR"
    LOCATION "location" "none, or both, of an availability zone and a subnet"
    EBS_NOT_SENT "ebs-not-sent" "a setting that a volume of this type does not have"
    CREDENTIALS "credentials" "credentials that are not complete, or do not fit together"
    NAME_LENGTH "name-length" "a name that is too long"
    NAME_CHARACTERS "name-characters" "a name with characters that EMR refuses"
    TOO_MANY_BOOTSTRAP_ACTIONS "too-many-bootstrap-actions" "more bootstrap actions than EMR takes"
    TOO_MANY_STEPS "too-many-steps" "more steps than EMR takes"
    TOO_MANY_TAGS "too-many-tags" "more tags than EMR takes"
    NO_ROOM_FOR_TAG "no-room-for-tag" "so many tags that there is no room for the program's own"
    TAG_KEY "tag-key" "a key of a tag that EMR refuses"
    TAG_VALUE "tag-value" "a value of a tag that EMR refuses"
    DUPLICATE_TAG "duplicate-tag" "two tags with one key"
    CANNOT_STAGE "cannot-stage" "a file beside the playbook where none can be staged"
    RELEASE_TOO_OLD "release-too-old" "a type of step that this release of EMR does not have"
    COMMAND_NOT_ON_CLUSTER "command-not-on-cluster" "a command that is not on the cluster"
    JAR_NOT_ON_CLUSTER "jar-not-on-cluster" "a jar that has to be on the cluster's own disk"
    TWO_REGIONS "two-regions" "a playbook for another region than the cluster's"

    ADDRESS "address" "an address that is not written as it has to be"
    STAGING_FOLDER "staging-folder" "a staging folder that is not a folder of HDFS"
    CLUSTER_NAME "cluster-name" "a name that no cluster of Dataproc can have"
    PROJECT "project" "a text that is no project of Google Cloud"
    REGION "region" "a text that is no region of Google Cloud"
    ZONE "zone" "a text that is no zone of the region"
    ZONE_NEEDED "zone-needed" "a short name where the zone is not known"
    NETWORK "network" "a text that is no network of Google Cloud"
    NETWORK_TAG "network-tag" "a text that is no network tag"
    SERVICE_ACCOUNT "service-account" "a text that is no service account"
    SCOPE "scope" "a text that is no scope of Google Cloud"
    IMAGE_VERSION "image-version" "a text that is no version of an image"
    COMPONENT "component" "a component that Dataproc does not have"
    COMPONENT_MISSING "component-missing" "a component that the playbook needs and the cluster does not have"
    MACHINE_TYPE "machine-type" "a text that is no type of machines"
    ACCELERATOR "accelerator" "a text that is no type of accelerators"
    DISK_TYPE "disk-type" "a type of disks that Dataproc does not have"
    DISK_SPEED "disk-speed" "a speed of disks of another type"
    SSD_INTERFACE "ssd-interface" "an interface of local SSDs that there is not"
    SINGLE_NODE "single-node" "workers for a cluster of one node"
    PROVISIONING_MIX "provisioning-mix" "a mix of standard and spot for workers that are not spot"
    AUTOSCALING_POLICY "autoscaling-policy" "a text that is no autoscaling policy of this region"
    INITIALIZATION_ACTION "initialization-action" "an initialization action that is not on Cloud Storage"
    BUCKET "bucket" "a text that is no name of a bucket"
    KMS_KEY "kms-key" "a text that is no key of Cloud KMS"
    LABEL_KEY "label-key" "a key that no label can have"
    LABEL_VALUE "label-value" "a value that no label can have"
    TOO_MANY_LABELS "too-many-labels" "more labels than Dataproc takes"
    TOO_MANY_NETWORK_TAGS "too-many-network-tags" "more network tags than Compute Engine takes"
    METADATA_KEY "metadata-key" "a key that no metadata can have"
    PROPERTY_KEY "property-key" "a key that no property can have"
    PROPERTY_PREFIX "property-prefix" "a prefix of a property that is not known"
    EXTRA "extra" "a text that is no JSON object to be merged into the request"
    TAG "tag" "a text that is no tag"
    NO_STAGING_BUCKET "no-staging-bucket" "files to be staged without a bucket for them"
    SCRIPT_ARGUMENT "script-argument" "an argument that a script cannot take on Dataproc"
    RULE_NOT_EXPORTED "rule-not-exported" "a rule that a workflow template cannot have"
    FILE_NOT_EXPORTED "file-not-exported" "a file beside the playbook, which a workflow template cannot have"
    SECRET_EXPORTED "secret-exported" "a secret that would stand in what is exported"

    AWS_SETTINGS "aws-settings" "settings of AWS that cannot be read"
    GOOGLE_SETTINGS "google-settings" "settings of Google that cannot be read"
    GOOGLE_CREDENTIALS "google-credentials" "credentials of Google that cannot be found"
    HTTP_SETTINGS "http-settings" "settings of HTTP that cannot be read"
    CREDENTIALS_NOT_KEPT "credentials-not-kept" "a run whose credentials were in its file, which is not kept"
    JOURNAL_REACH "journal-reach" "a journal that does not say how to reach the fabric"
    UNKNOWN_FABRIC "unknown-fabric" "a run on a fabric that this program does not know"
    NO_STATE_FOLDER "no-state-folder" "no place to record runs in"
    CANNOT_RECORD_RUN "cannot-record-run" "a run that cannot be recorded"
    NO_PROGRAM "no-program" "the program's own file cannot be found"
    NOT_ALONE "not-alone" "flags that do not go together with this fabric"

    AVSC_DEFAULT "avsc-default" "a default that the schema itself refuses"
    AVSC_MISSING "avsc-missing" "a schema without something that it needs"
    AVSC_NAME "avsc-name" "a name that no schema can have"
    AVSC_SIZE "avsc-size" "a size that no fixed can have"
    AVSC_TYPE "avsc-type" "a type that Avro does not have"
    AVSC_UNION "avsc-union" "a union that Avro does not allow"

    UNKNOWN_CODE "unknown-code" "a comment for `lint` that says what nobody understands"
    UNUSED_ALLOW "unused-allow" "a comment for `lint` that silences nothing"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_with_hyphens_and_each_is_there_once() {
        let part = |part: &str| {
            let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            !part.is_empty() && part.chars().all(fit)
        };
        for (at, (code, summary)) in ALL.iter().enumerate() {
            assert!(code.as_str().split('-').all(part), "{code}");
            assert!(!ALL[..at].iter().any(|(other, _)| other == code), "{code} twice");
            assert!(!summary.is_empty() && !summary.ends_with('.'), "{code}");
            assert_eq!((Code::of(code.as_str()), code.summary()), (Some(*code), *summary));
        }
        assert_eq!(Code::of("no-such-rule"), None);
    }
}
