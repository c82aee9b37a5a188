#include "policy/diag_codes.h"

/* The one table.  `explain FL0102` prints title and text; a test holds an example of each code with
 * its exact output, under tests/golden/diag.                                                     */
static const struct diag_code codes[] = {
    {DIAG_SYNTAX, DIAG_ERROR, "not YAML",
     "The file breaks YAML's own rules; the words are those of the YAML parser, at the place where "
     "it gave up. Nothing behind that place was read.\n\n"
     "  wrong:  select: {older_than: 90d\n"
     "  right:  select: {older_than: 90d}\n"},
    {DIAG_UNKNOWN_KEY, DIAG_ERROR, "unknown key",
     "Keys are never passed over: a selector that is misspelled and ignored would select more than "
     "was meant.\n\n"
     "  wrong:  select: {older_then: 90d}\n"
     "  right:  select: {older_than: 90d}\n"},
    {DIAG_DUPLICATE_KEY, DIAG_ERROR, "duplicate key",
     "A key that stands twice in one map has two meanings. To ask for both, use `all` or `any`.\n\n"
     "  wrong:  select: {map: track-1, map: track-2}\n"
     "  right:  select: {map: {in: [track-1, track-2]}}\n"},
    {DIAG_TAB, DIAG_ERROR, "tab",
     "YAML forbids tabs for indentation, and elsewhere they look like blanks that they are not.\n\n"
     "  wrong:  a line that begins with a tab\n"
     "  right:  a line that begins with spaces\n"},
    {DIAG_ALIAS, DIAG_ERROR, "anchor, alias or merge key",
     "What a policy means stands where it is read. What many policies share stands in `defaults` "
     "or `vars`.\n\n"
     "  wrong:  cleanup: &safe {after: 30d}\n"
     "          cleanup: *safe\n"
     "  right:  defaults:\n"
     "            cleanup: {after: 30d}\n"},
    {DIAG_TAG, DIAG_ERROR, "tag",
     "The key says what its value is; a tag could only contradict it.\n\n"
     "  wrong:  priority: !!str 100\n"
     "  right:  priority: 100\n"},
    {DIAG_DOCUMENT, DIAG_ERROR, "second document or directive",
     "A policy file is one document, without directives.\n\n"
     "  wrong:  version: 1\n"
     "          ---\n"
     "          version: 1\n"
     "  right:  two files\n"},
    {DIAG_CHARACTER, DIAG_ERROR, "character that may not be used",
     "Control characters, byte order marks inside a file and line breaks that editors don't show "
     "would make a file mean something else than it shows.\n\n"
     "  wrong:  name: \"age\\u0000out\"\n"
     "  right:  name: age-out\n"},
    {DIAG_NOT_UTF8, DIAG_ERROR, "not UTF-8",
     "Policies are UTF-8. Another encoding is converted first:\n\n"
     "  iconv -f LATIN1 -t UTF-8 old.yaml > new.yaml\n"},
    {DIAG_LIMIT, DIAG_ERROR, "limit",
     "A file may be 1 MiB large, nested 40 deep and made of 100,000 pieces; a value may be 1 MiB "
     "large with what its references give; a set of policies may list 4,000,000 ids. Long lists of "
     "ids belong into an `ids_file`.\n\n"
     "  wrong:  ids: [.., a hundred thousand of them]\n"
     "  right:  ids_file: ids.txt\n"},
    {DIAG_SHAPE, DIAG_ERROR, "map, list or value where another is wanted",
     "Each key wants a value, a list or a map.\n\n"
     "  wrong:  policies: age-out\n"
     "  right:  policies:\n"
     "            - name: age-out\n"},
    {DIAG_MISSING_KEY, DIAG_ERROR, "missing key",
     "A key without which the rest has no meaning.\n\n"
     "  wrong:  - name: age-out\n"
     "            select: {older_than: 90d}\n"
     "  right:  - name: age-out\n"
     "            target: cold\n"
     "            select: {older_than: 90d}\n"},
    {DIAG_KEY_SHAPE, DIAG_ERROR, "key that is no word",
     "YAML allows lists and maps as keys; a policy has no use for them.\n\n"
     "  wrong:  ? [a, b]\n"
     "          : c\n"
     "  right:  a: c\n"},
    {DIAG_EMPTY_FILE, DIAG_ERROR, "empty file",
     "A policy has at least `version`, `catalog`, `stores` and `policies`.\n\n"
     "  wrong:  # nothing but a comment\n"
     "  right:  version: 1\n"
     "          catalog: {..}\n"},
    {DIAG_INCLUDE, DIAG_ERROR, "included file that can't be read",
     "The path is relative to the folder of the policy; neither `$name` nor `${..}` is read in it. "
     "What the file would have said is not known, so nothing is told to be missing.\n\n"
     "  wrong:  include: [policies/team.yaml]   # in policies/frostline.yaml\n"
     "  right:  include: [team.yaml]\n"},
    {DIAG_INCLUDE_TWICE, DIAG_ERROR, "file included twice",
     "Every file is a part of the whole once, whatever names it has, and the root policy is one "
     "already.\n\n"
     "  wrong:  include: [team.yaml, ./team.yaml]\n"
     "  right:  include: [team.yaml]\n"},
    {DIAG_INCLUDE_NESTED, DIAG_ERROR, "include in an included file",
     "The root policy lists all files, so that nobody has to search for what belongs to it.\n\n"
     "  wrong:  include: [tracks.yaml]   # in team.yaml, which frostline.yaml includes\n"
     "  right:  include: [team.yaml, tracks.yaml]   # in frostline.yaml\n"},

    {DIAG_BOOLEAN, DIAG_ERROR, "not a boolean",
     "Only `true` and `false` are booleans: `yes`, `no`, `on` and `off` are texts.\n\n"
     "  wrong:  enabled: yes\n"
     "  right:  enabled: true\n"},
    {DIAG_NUMBER, DIAG_ERROR, "not a number",
     "A whole number in decimal digits, without quotes.\n\n"
     "  wrong:  priority: high\n"
     "  right:  priority: 100\n"},
    {DIAG_DURATION, DIAG_ERROR, "not a duration",
     "A whole number and its unit: s, m, h, d (24 h), w, mo, y. A grace has no mo and y: months "
     "differ in length.\n\n"
     "  wrong:  older_than: 90\n"
     "  right:  older_than: 90d\n"},
    {DIAG_SIZE, DIAG_ERROR, "not a size",
     "A number and its unit. GB is 10^9 bytes, GiB is 2^30.\n\n"
     "  wrong:  max_bytes: 5000\n"
     "  right:  max_bytes: 5TiB\n"},
    {DIAG_PERCENT, DIAG_ERROR, "not a percentage",
     "From 0% to 100%, with the sign.\n\n"
     "  wrong:  max_percent: 0.1\n"
     "  right:  max_percent: 10%\n"},
    {DIAG_DATE, DIAG_ERROR, "not a date",
     "Year, month and day, of a day that exists.\n\n"
     "  wrong:  date: 14.02.2025\n"
     "  right:  date: 2025-02-14\n"},
    {DIAG_CHOICE, DIAG_ERROR, "not one of the choices",
     "The key takes one of a few words.\n\n"
     "  wrong:  verify: md5\n"
     "  right:  verify: checksum\n"},
    {DIAG_NAME, DIAG_ERROR, "not a name",
     "Names stand in plans, reports and commands: up to 64 letters, digits, `.`, `_` and `-`.\n\n"
     "  wrong:  name: age out\n"
     "  right:  name: age-out\n"},
    {DIAG_EMPTY, DIAG_ERROR, "empty value",
     "A key with nothing behind it, or an empty list, is more often forgotten than meant.\n\n"
     "  wrong:  target:\n"
     "  right:  target: cold\n"},
    {DIAG_UNKNOWN_VAR, DIAG_ERROR, "unknown var",
     "A plain `$name` stands for a value of `vars`. In quotes it is a text.\n\n"
     "  wrong:  older_than: $cold_after   # without vars\n"
     "  right:  vars: {cold_after: 90d}\n"},
    {DIAG_VAR, DIAG_ERROR, "not a var",
     "Vars have plain values, and --var only overrides what the policy declares: a slip of the pen "
     "would otherwise change nothing.\n\n"
     "  wrong:  --var cold_aftr=120d\n"
     "  right:  --var cold_after=120d\n"},
    {DIAG_ENV_MISSING, DIAG_ERROR, "variable that is not set",
     "`${NAME}` is read from the environment and must be set there and not be empty. "
     "`${NAME:-default}` has a default, and `${NAME:-}` may be empty.\n\n"
     "  wrong:  container: ${CONTAINER}   # not exported\n"
     "  right:  container: ${CONTAINER:-recordings}\n"},
    {DIAG_ENV_FORM, DIAG_ERROR, "malformed ${..}",
     "`${NAME}` (letters, digits and `_`), `${file:PATH}` and `${credential:NAME}`, each with or "
     "without `:-default`; one reference at a time.\n\n"
     "  wrong:  ${A:-${B}}\n"
     "  right:  ${A:-text}\n"},
    {DIAG_ENV_PLACE, DIAG_ERROR, "${..} where it is not read",
     "Only connections, containers, prefixes, paths and URLs may depend on the environment. What "
     "decides about recordings stands in the file, or in `vars`, which a plan records.\n\n"
     "  wrong:  older_than: ${DAYS}d\n"
     "  right:  older_than: $cold_after   # --var cold_after=120d\n"},
    {DIAG_ZONE, DIAG_ERROR, "unknown time zone",
     "A name of the IANA database, as in /usr/share/zoneinfo.\n\n"
     "  wrong:  timezone: CEST\n"
     "  right:  timezone: Europe/Berlin\n"},
    {DIAG_VERSION, DIAG_ERROR, "another version",
     "The file was written for another version of the policy language; nothing else of it was "
     "read.\n\n"
     "  wrong:  version: 2\n"
     "  right:  version: 1\n"},
    {DIAG_NULL, DIAG_ERROR, "comparison with null",
     "A comparison with NULL is neither true nor false, so it would never select.\n\n"
     "  wrong:  map: null\n"
     "  right:  map: {null: true}\n"
     "          map: 'null'               # the text\n"},
    {DIAG_ENV_FILE, DIAG_ERROR, "file or credential that gives no value",
     "`${file:PATH}` is what the file holds, without one line break at its end: up to 64 KiB of "
     "UTF-8, and something. The path is relative to the folder of the policy file that it stands "
     "in. A default, `${file:PATH:-default}`, is for a file that is not there, not for one that "
     "can't be read. The same holds for `${credential:NAME}`.\n\n"
     "  wrong:  password: ${file:/run/secrets}   # a folder\n"
     "  right:  password: ${file:/run/secrets/db-password}\n"},
    {DIAG_CREDENTIAL, DIAG_ERROR, "credential that can't be looked for",
     "`${credential:NAME}` is what systemd put into the file NAME of the folder that it names in "
     "CREDENTIALS_DIRECTORY (LoadCredential= in the unit); NAME is no path.\n\n"
     "  wrong:  password: ${credential:frostline/db-password}\n"
     "  right:  password: ${credential:db-password}\n"},

    {DIAG_INSTANT, DIAG_ERROR, "not an instant",
     "A clock's reading means an instant only with its offset from UTC.\n\n"
     "  wrong:  as_of: 2025-06-01 12:00\n"
     "  right:  as_of: 2025-06-01T12:00:00Z\n"},
    {DIAG_DAYS, DIAG_ERROR, "not days of the week",
     "Days are named by their first three letters; ranges and lists of them may be mixed.\n\n"
     "  wrong:  days: weekdays\n"
     "  right:  days: mon-fri\n"},
    {DIAG_CLOCK, DIAG_ERROR, "not a time of the day",
     "Two digits for the hour and two for the minute, from 00:00 to 24:00.\n\n"
     "  wrong:  from: 10pm\n"
     "  right:  from: \"22:00\"\n"},
    {DIAG_UNKNOWN_STORE, DIAG_ERROR, "unknown store",
     "`from`, `target` and `store` name a key of `stores`.\n\n"
     "  wrong:  target: clod\n"
     "  right:  target: cold\n"},
    {DIAG_SAME_PLACE, DIAG_ERROR, "stores that overlap",
     "If one store holds another one, an object would be in both, and cleaning one up would empty "
     "the other. Only stores of the very same account, container and prefix may be told apart, by "
     "an access tier of their own each; between them the tier changes, and no row.\n\n"
     "  wrong:  hot:  {type: local, path: /srv}\n"
     "          cold: {type: local, path: /srv/cold}\n"
     "  right:  hot:  {type: local, path: /srv/hot}\n"
     "          cold: {type: local, path: /srv/cold}\n"},
    {DIAG_ARCHIVE, DIAG_ERROR, "archive tier",
     "What is in the archive tier can't be read for hours; this version does not wait for it.\n\n"
     "  wrong:  tier: archive\n"
     "  right:  tier: cold\n"},
    {DIAG_MIXED_KINDS, DIAG_ERROR, "move between kinds of store",
     "This version copies within one kind of store: from Azure to Azure, from a folder to a "
     "folder.\n\n"
     "  wrong:  from: azure-store\n"
     "          target: local-store\n"
     "  right:  from: azure-store\n"
     "          target: other-azure-store\n"},
    {DIAG_CONNECTION_STRING, DIAG_ERROR, "malformed connection string",
     "AccountName and AccountKey, or BlobEndpoint and SharedAccessSignature, as the portal shows "
     "them; plain http only to this machine. The message names the part and never its value.\n\n"
     "  wrong:  AccountName=a;AccountKey\n"
     "  right:  DefaultEndpointsProtocol=https;AccountName=a;AccountKey=..;"
     "EndpointSuffix=core.windows.net\n"},
    {DIAG_LITERAL_SECRET, DIAG_ERROR, "secret in the file",
     "A policy is committed, reviewed and attached to reports; a secret in it has been given away. "
     "Take it from the environment, and change it.\n\n"
     "  wrong:  password: (a password)\n"
     "  right:  password: ${DB_PASSWORD}\n"},
    {DIAG_CONTAINER, DIAG_ERROR, "not a container's name",
     "3 to 63 lower-case letters, digits and single hyphens.\n\n"
     "  wrong:  container: ECAL_cold\n"
     "  right:  container: ecal-cold\n"},
    {DIAG_PATH, DIAG_ERROR, "not a path or prefix",
     "No `..`, which symbolic links could mislead; not the root folder; a prefix has no `/` in "
     "front.\n\n"
     "  wrong:  path: ../recordings\n"
     "  right:  path: /srv/recordings\n"},
    {DIAG_URL, DIAG_ERROR, "not a store's URL",
     "`urls` lists further bases under which the catalog knows a store: scheme, host and path.\n\n"
     "  wrong:  urls: [acct.example.com/recordings]\n"
     "  right:  urls: [https://acct.example.com/recordings/]\n"},
    {DIAG_COLUMN, DIAG_ERROR, "not a table or column",
     "Names as the database has them, at most 63 bytes; a table may stand behind its schema.\n\n"
     "  wrong:  table: db.public.ecal\n"
     "  right:  table: public.ecal\n"},
    {DIAG_FIELD_NAME, DIAG_ERROR, "field with a selector's name",
     "The names of fields are yours, so that they need not clash with selectors.\n\n"
     "  wrong:  fields: {date: upload_date}\n"
     "  right:  fields: {uploaded: upload_date}\n"},
    {DIAG_NO_TIME, DIAG_ERROR, "no time column",
     "`date`, `dates`, `older_than` and `newer_than` ask when a recording was made.\n\n"
     "  wrong:  a catalog without `time`, and older_than: 90d\n"
     "  right:  time: {column: recording_start_time, timezone: UTC}\n"},
    {DIAG_COLUMN_TYPE, DIAG_ERROR, "column of another type",
     "Types come from the database. `location` wants a text, `time` a timestamp or date, `size` a "
     "number, and a field that is tested must be text, number, boolean, timestamp or date: arrays "
     "and json are not supported.\n\n"
     "  wrong:  time: {column: map}\n"
     "  right:  time: {column: recording_start_time}\n"},
    {DIAG_NAIVE_TIME, DIAG_ERROR, "time without a zone",
     "A column of type `timestamp` shows a clock without saying where it hangs.\n\n"
     "  wrong:  time: {column: recording_start_time}\n"
     "  right:  time: {column: recording_start_time, timezone: UTC}\n"},
    {DIAG_CONNECTION, DIAG_ERROR, "contradictory connection",
     "Either libpq's words, or one `url`, which says all that they say.\n\n"
     "  wrong:  connection: {url: postgresql://h/db, host: h}\n"
     "  right:  connection: {url: postgresql://h/db}\n"},
    {DIAG_TOO_MANY, DIAG_ERROR, "too many",
     "At most 64 stores, 256 policies, 1,024 holds, 256 fields, 256 files, and 16 columns that a "
     "store sets.\n\n"
     "  wrong:  a policy a recording\n"
     "  right:  one policy with an `ids_file`\n"},
    {DIAG_NO_SIZE, DIAG_ERROR, "no size column",
     "`size` asks how large the catalog says a recording is.\n\n"
     "  wrong:  a catalog without `size`, and size: {gte: 1GiB}\n"
     "  right:  size: {column: size_gb, unit: GB}\n"},
    {DIAG_CATALOG, DIAG_ERROR, "catalog that can't be opened",
     "Found by `validate --online`. The database does not answer, refuses whoever asks, or is not "
     "there; the words are its own. What comes from the environment is that of whoever runs "
     "frostline.\n\n"
     "  wrong:  dbname: recordnigs\n"
     "  right:  dbname: recordings\n"},
    {DIAG_TABLE, DIAG_ERROR, "no such table",
     "Without a schema, those of the role's search_path are looked through. A view is no table: a "
     "cut-over locks rows and rewrites them.\n\n"
     "  wrong:  table: ecal         # it is in the schema fleet\n"
     "  right:  table: fleet.ecal\n"},
    {DIAG_COLUMN_MISSING, DIAG_ERROR, "no such column",
     "Names stand here as the table has them. PostgreSQL tells capitals from small letters, and "
     "makes small ones of those that SQL names without quotes.\n\n"
     "  wrong:  fields: {map: Map}\n"
     "  right:  fields: {map: map}\n"},
    {DIAG_NO_KEY, DIAG_ERROR, "id without a key",
     "An id names one recording, before and after it moves. So its column is the primary key, or "
     "is never NULL and has a unique index to itself.\n\n"
     "  wrong:  id: ecal_name\n"
     "  right:  id: ecal_id         # the primary key\n"},
    {DIAG_STORE, DIAG_ERROR, "store that can't be listed",
     "Found by `validate --online`, which asks each store for a listing: the service does not "
     "answer, refuses the key or the SAS, or has no such container; or a folder is not there or "
     "can't be read.\n\n"
     "  wrong:  container: ecal-colt\n"
     "  right:  container: ecal-cold\n"},
    {DIAG_NO_INDEX, DIAG_WARNING, "location without an index",
     "Found by `validate --online`. A cut-over asks for the rows below a directory: a range of "
     "locations in the order of their bytes. Without an index in that order it reads the whole "
     "table, each time. The help is the statement that makes one.\n\n"
     "  wrong:  an index on (ecal_name), in the order of a language\n"
     "  right:  an index on (ecal_name COLLATE \"C\")\n"},
    {DIAG_SET, DIAG_ERROR, "column that a store can't set",
     "`set` gives further columns of a row a value when it is cut over to the store. The location "
     "is set by that already, and the id tells which row it is. What the database makes itself "
     "can't be set, nor NULL where it takes none, nor what the column's type does not read, "
     "which SQLite can't be asked.\n\n"
     "  wrong:  set: {ecal_name: cold}\n"
     "  right:  set: {storage_class: cold}\n"},

    {DIAG_EMPTY_SELECTION, DIAG_ERROR, "empty selection",
     "Elsewhere an empty filter means everything. Here everything has to be said, and guarded.\n\n"
     "  wrong:  select: {}\n"
     "  right:  select: {everything: true}\n"
     "          guards: {max_percent: 10%}\n"},
    {DIAG_UNGUARDED, DIAG_ERROR, "everything without a guard",
     "A policy that can take every recording needs `max_percent` (below 100%) or "
     "`max_recordings`.\n\n"
     "  wrong:  select: {everything: true}\n"
     "  right:  select: {everything: true}\n"
     "          guards: {max_percent: 10%}\n"},
    {DIAG_EVERYTHING, DIAG_ERROR, "everything: false",
     "`everything` is either true or left out.\n\n"
     "  wrong:  select: {everything: false}\n"
     "  right:  enabled: false\n"},
    {DIAG_NESTING, DIAG_ERROR, "nested too deep",
     "`all`, `any` and `not` may be nested 16 deep.\n\n"
     "  wrong:  not: {not: {not: ..}}\n"
     "  right:  not: ..\n"},
    {DIAG_IDS_FILE, DIAG_ERROR, "ids file that can't be read",
     "The path is relative to the folder of the file that it stands in.\n\n"
     "  wrong:  ids_file: policies/ids.txt   # in policies/a.yaml\n"
     "  right:  ids_file: ids.txt\n"},
    {DIAG_IDS_LINE, DIAG_ERROR, "line that is no id",
     "One id a line, as the catalog has it; `#` begins a comment.\n\n"
     "  right:  # asked for by the lab\n"
     "          ECAL_2025021401\n"},
    {DIAG_DATES, DIAG_ERROR, "dates in the wrong order",
     "Both days are included; the first is not after the last.\n\n"
     "  wrong:  dates: {from: 2025-02-28, to: 2025-02-01}\n"
     "  right:  dates: {from: 2025-02-01, to: 2025-02-28}\n"},
    {DIAG_LITERAL, DIAG_ERROR, "value that the column can't be compared with",
     "A test is made by the column's own type, which the database says.\n\n"
     "  wrong:  length: {gt: long}       # an integer column\n"
     "  right:  length: {gt: 600}\n"},
    {DIAG_TEST, DIAG_ERROR, "test that the column does not know",
     "Booleans are equal or not; neither is greater. Patterns are for text, ages for times.\n\n"
     "  wrong:  valid: {gt: false}\n"
     "          length: {glob: \"6*\"}\n"
     "  right:  valid: true\n"
     "          map: {glob: \"track-*\"}\n"},
    {DIAG_SAME_NAME, DIAG_ERROR, "name used twice",
     "Plans, guards and reports name a policy or hold by its name alone.\n\n"
     "  wrong:  two policies called age-out\n"
     "  right:  age-out and age-out-raw\n"},
    {DIAG_SIZES, DIAG_ERROR, "sizes between which there is none",
     "The tests of one `size` must all hold.\n\n"
     "  wrong:  size: {gte: 1GiB, lt: 1GB}\n"
     "  right:  size: {gte: 1GB, lt: 1GiB}\n"},
    {DIAG_PATTERN, DIAG_ERROR, "pattern that can't be read",
     "A glob is about the whole text: `*`, `?` and a class like [a-z] stop at `/`, `**` crosses "
     "it. "
     "A regular expression is PCRE2's and matches anywhere. Quotes keep YAML out of both: single "
     "ones, for in double ones `\\` is YAML's own.\n\n"
     "  wrong:  map: {regex: 'track-(\\d+'}\n"
     "  right:  map: {regex: 'track-(\\d+)'}\n"},
    {DIAG_PATH_SLASH, DIAG_ERROR, "path that begins with a slash",
     "`path` is about the key inside the store, which begins with the name of its first folder.\n\n"
     "  wrong:  path: {glob: \"/recording/**\"}\n"
     "  right:  path: {glob: \"recording/**\"}\n"},
    {DIAG_WINDOW, DIAG_ERROR, "window that is no stretch of time",
     "A window goes from one time of the day to another one; over midnight if the second is not "
     "behind the first. The whole day is from 00:00 to 24:00.\n\n"
     "  wrong:  window: {from: \"22:00\", to: \"22:00\"}\n"
     "  right:  window: {from: \"22:00\", to: \"05:00\"}\n"},
    {DIAG_CONFLICT, DIAG_WARNING, "policies that can conflict",
     "Two policies of the same priority want recordings in different stores, and nothing in them "
     "rules out that it is the same recording. It is then blocked where it is: no order of the "
     "file decides.\n\n"
     "  wrong:  - {name: a, target: cold, select: {older_than: 90d}}\n"
     "          - {name: b, target: warm, select: {older_than: 30d}}\n"
     "  right:  - {name: a, target: cold, select: {older_than: 90d}, priority: 10}\n"
     "          - {name: b, target: warm, select: {older_than: 30d}}\n"},
    {DIAG_NEVER_WINS, DIAG_WARNING, "policy that never wins",
     "Whatever it takes is taken by another policy as well, which has the higher priority.\n\n"
     "  wrong:  - {name: a, target: cold, select: {older_than: 90d}, priority: 10}\n"
     "          - {name: b, target: warm, select: {older_than: 120d}}\n"
     "  right:  - {name: a, target: cold, select: {older_than: 90d}}\n"
     "          - {name: b, target: warm, select: {older_than: 120d}, priority: 10}\n"},
    {DIAG_OWN_SOURCE, DIAG_WARNING, "target that is also the source",
     "The policy takes recordings from nowhere but its target, so it moves nothing. All that it "
     "can do is to win over policies of a lower priority; a hold says that more plainly.\n\n"
     "  wrong:  {name: a, from: cold, target: cold, select: {map: golden}}\n"
     "  right:  {name: a, from: hot, target: cold, select: {map: golden}}\n"},
    {DIAG_NO_GRACE, DIAG_WARNING, "no grace",
     "With a grace of 0 a source is deleted once the catalog names the copy. Readers that still "
     "have the old location find nothing there, and a mistaken move has to be made again "
     "backwards.\n\n"
     "  wrong:  cleanup: {source: delete, after: 0s}\n"
     "  right:  cleanup: {source: delete, after: 7d}\n"},
    {DIAG_TAKES_NOTHING, DIAG_WARNING, "policy that can never take a recording",
     "Conditions that stand side by side have to hold at once, together with `from` and without "
     "anything that `exclude` names. These can't, whatever the catalog holds.\n\n"
     "  wrong:  select: {older_than: 90d, newer_than: 30d}\n"
     "  right:  select: {any: [{older_than: 90d}, {newer_than: 30d}]}\n"},
    {DIAG_UNDOES, DIAG_WARNING, "policy that can undo another one",
     "A policy without `from` takes recordings from every store, also from the one to which "
     "another policy has moved them, and brings them back to where that one had found them.\n\n"
     "  wrong:  - {name: a, from: hot, target: cold, select: {older_than: 90d}}\n"
     "          - {name: b, target: hot, select: {valid: true}, priority: 10}\n"
     "  right:  - {name: b, from: cold, target: hot, select: {valid: true}, priority: 10}\n"},
    {DIAG_EXPIRED, DIAG_WARNING, "policy or hold that is over",
     "The last day that `expires` or `until` names has passed: it has no effect any more.\n\n"
     "  wrong:  expires: 2020-12-31\n"
     "  right:  expires: 2099-12-31\n"},
    {DIAG_UNUSED_VAR, DIAG_WARNING, "unused var",
     "Nothing in the policy has its value, so that --var for it would change nothing. In quotes "
     "`$name` is a text, and it stands for a whole value, never for a part of one.\n\n"
     "  wrong:  vars: {cold_after: 90d}\n"
     "          older_than: 90d\n"
     "  right:  older_than: $cold_after\n"},
    {DIAG_CIRCLE, DIAG_WARNING, "policies that send a recording to and fro",
     "Two policies of equal priority can take the same recording, each from where the other one "
     "would bring it. None of them is obeyed: it stays where it is, and the plan shows "
     "the conflict. With different priorities the higher one says where it rests.\n\n"
     "  wrong:  - {name: a, from: hot, target: cold, select: {older_than: 90d}}\n"
     "          - {name: b, from: cold, target: hot, select: {valid: true}}\n"
     "  right:  - {name: b, from: cold, target: hot, select: {valid: true}, priority: 10}\n"},
    {DIAG_TEST_ID, DIAG_ERROR, "expectation of no recording",
     "A test expects something of a recording that it doesn't have; so it would never fail.\n\n"
     "  wrong:  recordings: [{id: A, ..}]\n"
     "          expect: {move: [{id: B}]}\n"
     "  right:  expect: {move: [{id: A}]}\n"},
    {DIAG_UNKNOWN_POLICY, DIAG_ERROR, "unknown policy",
     "No policy of the set has that name.\n\n"
     "  wrong:  move: [{id: A, policy: ageout}]\n"
     "  right:  move: [{id: A, policy: age-out}]\n"},
    {DIAG_TEST_STORES, DIAG_ERROR, "recordings of one directory in two stores",
     "Stores that are one place differ in their tier alone, and a directory is kept at one tier: "
     "all its recordings are in the same store. With `unit: object` that holds of each object.\n\n"
     "  wrong:  - {id: A, location: \"hot:d/a\"}\n"
     "          - {id: B, location: \"cool:d/b\"}\n"
     "  right:  - {id: A, location: \"hot:d/a\"}\n"
     "          - {id: B, location: \"hot:d/b\"}\n"},
};

#define COUNT (sizeof codes / sizeof *codes)

const struct diag_code *diag_codes_find(int number)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (codes[i].number == number)
            return &codes[i];
    }
    return NULL;
}

const struct diag_code *diag_codes_at(size_t index)
{
    return index < COUNT ? &codes[index] : NULL;
}
