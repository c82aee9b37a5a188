/* Connection strings as the SDKs and the portal write them; no message ever repeats a value. */
#include "policy/connection.h"
#include "tests/unit/policy/fixture.h"

#define KEY "c2VjcmV0LWNhbmFyeS1rZXk=" /* ends in '=' */
#define SAS "sv=2022-11-02&ss=b&sig=CANARY%2Bsig%3D"

static bool read_text(const char *text, struct arena *arena, struct connection *connection,
                      struct err *err)
{
    struct secret secret = {0};
    secret_set(&secret, text, strlen(text));
    bool done = connection_read(&secret, arena, connection, err);
    secret_clear(&secret);
    return done;
}

struct good {
    const char *text, *account, *endpoint, *key, *sas;
    bool path_style;
};

static const struct good goods[] = {
    {"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" KEY
     ";EndpointSuffix=core.windows.net",
     "acct", "https://acct.blob.core.windows.net", KEY, "", false},
    {"AccountName=acct;AccountKey=" KEY, "acct", "https://acct.blob.core.windows.net", KEY, "",
     false},
    {"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=" KEY
     ";EndpointSuffix=core.chinacloudapi.cn",
     "acct", "https://acct.blob.core.chinacloudapi.cn", KEY, "", false},
    /* keys are not case-sensitive, order and empty parts do not matter */
    {"accountkey=" KEY ";;ACCOUNTNAME=acct;", "acct", "https://acct.blob.core.windows.net", KEY, "",
     false},
    {"AccountName=acct;AccountKey=" KEY "\n", "acct", "https://acct.blob.core.windows.net", KEY, "",
     false},
    {"BlobEndpoint=https://acct.blob.core.windows.net/;QueueEndpoint=https://q/;"
     "SharedAccessSignature=" SAS,
     "acct", "https://acct.blob.core.windows.net", "", SAS, false},
    {"BlobEndpoint=https://acct.blob.core.windows.net;SharedAccessSignature=?" SAS, "acct",
     "https://acct.blob.core.windows.net", "", SAS, false},
    {"AccountName=acct;BlobEndpoint=https://blobs.example.com;AccountKey=" KEY, "acct",
     "https://blobs.example.com", KEY, "", false},
    {"AccountName=acct;BlobEndpoint=HTTPS://Acct.Blob.Core.Windows.Net:443/;AccountKey=" KEY,
     "acct", "https://acct.blob.core.windows.net", KEY, "", false},
    {"AccountName=acct;BlobEndpoint=https://gateway:8443/acct/;AccountKey=" KEY, "acct",
     "https://gateway:8443/acct", KEY, "", true},
    /* emulators: path-style, plain http on this machine */
    {"DefaultEndpointsProtocol=http;AccountName=srcacct;AccountKey=" KEY
     ";BlobEndpoint=http://127.0.0.1:10000/srcacct;",
     "srcacct", "http://127.0.0.1:10000/srcacct", KEY, "", true},
    {"BlobEndpoint=http://localhost:10000/devstoreaccount1;SharedAccessSignature=" SAS,
     "devstoreaccount1", "http://localhost:10000/devstoreaccount1", "", SAS, true},
    {"BlobEndpoint=http://[::1]:10000/acct;SharedAccessSignature=" SAS, "acct",
     "http://[::1]:10000/acct", "", SAS, true},
    {"UseDevelopmentStorage=true", "devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1",
     "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==", "",
     true},
    {"UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://localhost", "devstoreaccount1",
     "http://localhost:10000/devstoreaccount1",
     "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==", "",
     true},
    /* both: the key, as in the SDKs */
    {"AccountName=acct;AccountKey=" KEY ";SharedAccessSignature=" SAS, "acct",
     "https://acct.blob.core.windows.net", KEY, "", false},
};

static void what_the_sdks_accept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof goods / sizeof *goods; i++) {
        struct arena arena;
        struct connection connection;
        struct err err;
        arena_init(&arena, FIXTURE_ARENA_BYTES);
        if (!read_text(goods[i].text, &arena, &connection, &err))
            fail_msg("%s: %s", goods[i].text, err.text);
        assert_string_equal(connection.account, goods[i].account);
        assert_string_equal(connection.endpoint, goods[i].endpoint);
        assert_string_equal(secret_reveal(&connection.key), goods[i].key);
        assert_string_equal(secret_reveal(&connection.sas), goods[i].sas);
        assert_int_equal(connection.path_style, goods[i].path_style);
        connection_free(&connection);
        assert_false(secret_is_set(&connection.key));
        arena_free(&arena);
    }
}

struct bad {
    const char *text, *says;
};

static const struct bad bads[] = {
    {"", "empty"},
    {"\n", "empty"},
    {"CANARY", "part 1 is not"},
    {"AccountName=acct;CANARY", "part 2 is not"},
    {"=CANARY;AccountName=acct", "part 1 is not"},
    {"AccountName=acct", "neither AccountKey nor SharedAccessSignature"},
    {"AccountKey=" KEY, "neither AccountName nor BlobEndpoint"},
    {"AccountName=acct;AccountKey=", "AccountKey is empty"},
    {"AccountName=;AccountKey=" KEY, "AccountName is empty"},
    {"AccountName=acct;AccountKey=" KEY ";AccountKey=CANARY==", "AccountKey is given twice"},
    {"AccountName=acct;AccountKey=CANARY!", "AccountKey is not base64"},
    {"AccountName=acct;AccountKey=CANARY", "AccountKey is not base64"},
    {"AccountName=acct;AccountKey=CAN=ARYx", "AccountKey is not base64"},
    {"AccountName=acct;AccountKey=CANA RY==", "AccountKey holds a blank"},
    {"AccountName=acct;AccountKey=CANA\x01RY=", "AccountKey holds a blank or a control"},
    {"AccountName=CANARY;AccountKey=" KEY, "AccountName is not the name"},
    {"AccountName=a/canary;AccountKey=" KEY, "AccountName is not the name"},
    {"AccountName=a@canary.example;AccountKey=" KEY, "AccountName is not the name"},
    {"AccountName=a?canary;AccountKey=" KEY, "AccountName is not the name"},
    {"AccountName=a%2fcanary;AccountKey=" KEY, "AccountName is not the name"},
    {"DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=" KEY, "DefaultEndpointsProtocol="},
    {"DefaultEndpointsProtocol=ftp;AccountName=acct;AccountKey=" KEY, "neither http nor https"},
    {"AccountName=acct;BlobEndpoint=http://acct.blob.core.windows.net;AccountKey=" KEY,
     "plain http"},
    {"AccountName=acct;BlobEndpoint=http://127.0.0.1.canary.example/acct;AccountKey=" KEY,
     "plain http"},
    {"AccountName=acct;BlobEndpoint=http://localhost.canary.example/acct;AccountKey=" KEY,
     "plain http"},
    {"AccountName=acct;BlobEndpoint=https://a/acct?sig=CANARY;AccountKey=" KEY, "has a query"},
    {"AccountName=acct;BlobEndpoint=https://u:CANARY@a/acct;AccountKey=" KEY, "has a query"},
    {"AccountName=acct;BlobEndpoint=https://a/acct#CANARY;AccountKey=" KEY, "has a query"},
    {"AccountName=acct;BlobEndpoint=CANARY;AccountKey=" KEY, "is not a URL"},
    {"AccountName=acct;BlobEndpoint=https://a:canary/acct;AccountKey=" KEY, "is not a URL"},
    {"AccountName=acct;BlobEndpoint=https://a:99999/acct;AccountKey=" KEY, "is not a URL"},
    {"AccountName=acct;BlobEndpoint=https://a:0/acct;AccountKey=" KEY, "is not a URL"},
    {"AccountName=acct;BlobEndpoint=https://a b/acct;AccountKey=" KEY, "holds a blank"},
    {"AccountName=acct;BlobEndpoint=https://a%2Eb/acct;AccountKey=" KEY, "is not a URL"},
    {"AccountName=acct;BlobEndpoint=file:///acct;AccountKey=" KEY, "BlobEndpoint"},
    {"AccountName=acct;BlobEndpoint=ftp://a/acct;AccountKey=" KEY, "neither http nor https"},
    {"AccountName=acct;BlobEndpoint=https://a/acct/more;AccountKey=" KEY, "not an account"},
    {"AccountName=acct;BlobEndpoint=https://a/../x;AccountKey=" KEY, "not an account"},
    {"AccountName=acct;BlobEndpoint=https://a/other;AccountKey=" KEY, "differ"},
    {"AccountName=account;BlobEndpoint=https://a/acc;AccountKey=" KEY, "differ"},
    {"AccountName=acct;EndpointSuffix=canary/x;AccountKey=" KEY, "EndpointSuffix is not"},
    {"AccountName=acct;EndpointSuffix=canary@x;AccountKey=" KEY, "EndpointSuffix is not"},
    {"BlobEndpoint=https://canary;SharedAccessSignature=" SAS, "does not tell it"},
    {"BlobEndpoint=https://a.example;SharedAccessSignature=CANARY", "has no sig"},
    {"UseDevelopmentStorage=false", "can only be true"},
    {"UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://canary.example", "ProxyUri"},
};

static void what_is_refused_and_never_repeated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        struct arena arena;
        struct connection connection;
        struct err err;
        arena_init(&arena, FIXTURE_ARENA_BYTES);
        if (read_text(bads[i].text, &arena, &connection, &err))
            fail_msg("accepted: %s", bads[i].text);
        assert_int_equal(err.kind, ERR_INPUT);
        if (strstr(err.text, bads[i].says) == NULL)
            fail_msg("%s: %s", bads[i].text, err.text);
        assert_null(strcasestr(err.text, "canary"));
        assert_null(strstr(err.text, KEY));
        assert_false(secret_is_set(&connection.key) || secret_is_set(&connection.sas));
        arena_free(&arena);
    }
}

/* Each printable character in the value of each part: read or refused, never misread and never in
 * a message.                                                                                    */
static void any_character_in_any_value(void **state)
{
    (void)state;
    static const char *const formats[] = {
        "AccountName=canary%cx;AccountKey=" KEY,
        "AccountName=acct;AccountKey=CANARY%cx==",
        "AccountName=acct;AccountKey=" KEY ";BlobEndpoint=https://canary%cx.example",
        "AccountName=acct;AccountKey=" KEY ";EndpointSuffix=canary%cx",
        "BlobEndpoint=https://a.example;SharedAccessSignature=CANARY%c&sig=CANARY",
    };
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        for (int c = 1; c < 127; c++) {
            struct arena arena;
            struct connection connection;
            struct err err;
            char text[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text, sizeof text, formats[f], c);
#pragma GCC diagnostic pop
            arena_init(&arena, FIXTURE_ARENA_BYTES);
            if (read_text(text, &arena, &connection, &err)) {
                assert_true(str_starts(connection.endpoint, "https://"));
                const char *host = connection.endpoint + strlen("https://");
                assert_int_equal(strcspn(host, "/@?#% ;="), strlen(host));
                connection_free(&connection);
            } else {
                assert_null(strcasestr(err.text, "canary"));
            }
            arena_free(&arena);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_sdks_accept),
        cmocka_unit_test(what_is_refused_and_never_repeated),
        cmocka_unit_test(any_character_in_any_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
