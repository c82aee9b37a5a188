/* connection.h: an Azure storage connection string, as the Azure SDKs read it.
 * Source: "Configure Azure Storage connection strings", Microsoft Learn.                         */
#ifndef POLICY_CONNECTION_H
#define POLICY_CONNECTION_H

#include "base/err.h"
#include "base/secret.h"

struct arena;

/* Keys are not case-sensitive and end at the first '=': values (keys in base64) may hold more. */
struct connection {
    const char   *account;  /* AccountName; with a SAS only: from the endpoint's host or path */
    const char   *endpoint; /* BlobEndpoint or scheme://account.blob.suffix; canonical, no '/' at
                             * the end, no query: "http://127.0.0.1:10000/devstoreaccount1"       */
    bool          path_style; /* the account is the endpoint's path, as of emulators              */
    struct secret key;        /* AccountKey, still base64; or none                                */
    struct secret sas;        /* SharedAccessSignature without its '?'; or none                   */
};

/* ERR_INPUT says which part is missing or malformed and never repeats a value; plain http is
 * accepted for loopback hosts only.                                                              */
MUST_USE bool connection_read(const struct secret *text, struct arena *arena,
                              struct connection *connection, struct err *err);
void connection_free(struct connection *connection); /* cleanses */
#endif
