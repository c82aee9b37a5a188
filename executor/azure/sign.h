/* sign.h: what proves to an Azure storage account that a request is ours.  Pure.
 * Source: "Authorize with Shared Key" and "Create a service SAS", Azure Storage REST reference.  */
#ifndef EXECUTOR_AZURE_SIGN_H
#define EXECUTOR_AZURE_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct http_header;
struct secret;

/* Of the SAS made here, and of every request. */
#define SIGN_VERSION "2021-12-02"

struct sign_request {
    const char *method;
    const char *account;
    const char *path;                 /* of the URL, encoded as it is sent                     */
    const struct http_header *params; /* of the query: sorted, lower-case names, plain values  */
    size_t param_count;
    const struct http_header *headers; /* all that are sent, in any order */
    size_t header_count;
    uint64_t body_bytes;
};
/* The string to sign. */
void sign_text(const struct sign_request *request, struct buf *out);
/* "SharedKey ACCOUNT:SIGNATURE", the value of Authorization.  key: as bytes, not in base64. */
const char *sign_shared_key(const struct sign_request *request, const struct secret *key,
                            struct arena *arena);

/* Leave to read and list one container. */
struct sign_sas {
    const char *account, *container;
    int64_t expires_us; /* whole seconds count */
    bool https_only;
};
void sign_sas_text(const struct sign_sas *sas, struct buf *out);
/* A query without its '?'. */
const char *sign_container_sas(const struct sign_sas *sas, const struct secret *key,
                               struct arena *arena);
#endif
