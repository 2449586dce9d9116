/* What BearSSL's own judge of certificates says, with nothing of ours around it.
 * Usage: bearssl_trust ANCHOR.der CERTIFICATE.der NAME; prints the error number, 0: it is NAME's.
 */
#include <bearssl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DER_MAX 4096

struct text {
    unsigned char bytes[DER_MAX];
    size_t len;
};

static int read_file(const char *path, struct text *text)
{
    FILE *in = fopen(path, "rb");
    text->len = in ? fread(text->bytes, 1, sizeof text->bytes, in) : 0;
    if (in)
        fclose(in);
    return text->len > 0;
}

static void take_name(void *context, const void *bytes, size_t len)
{
    struct text *name = context;
    if (len <= sizeof name->bytes - name->len)
        memcpy(name->bytes + name->len, bytes, len);
    name->len += len;
}

int main(int argc, char **argv)
{
    static struct text anchor_file, certificate, name;
    if (argc != 4 || !read_file(argv[1], &anchor_file) || !read_file(argv[2], &certificate))
        return 2;
    br_x509_decoder_context decoder;
    br_x509_decoder_init(&decoder, take_name, &name);
    br_x509_decoder_push(&decoder, anchor_file.bytes, anchor_file.len);
    const br_x509_pkey *key = br_x509_decoder_get_pkey(&decoder);
    if (!key)
        return 2;
    const br_x509_trust_anchor anchor = {
        .dn = {name.bytes, name.len}, .flags = BR_X509_TA_CA, .pkey = *key};

    br_x509_minimal_context judge;
    br_x509_minimal_init_full(&judge, &anchor, 1);
    const time_t now = time(NULL);
    br_x509_minimal_set_time(&judge, (uint32_t)(now / 86400 + 719528), (uint32_t)(now % 86400));
    judge.vtable->start_chain(&judge.vtable, argv[3]);
    judge.vtable->start_cert(&judge.vtable, (uint32_t)certificate.len);
    judge.vtable->append(&judge.vtable, certificate.bytes, certificate.len);
    judge.vtable->end_cert(&judge.vtable);
    printf("%u\n", judge.vtable->end_chain(&judge.vtable));
    return 0;
}
