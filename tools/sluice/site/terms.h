/* How long each thing of a site lasts, and when its end is told of: one table for 'status',
 * 'watch', 'node list', 'doctor' and whoever renews. */
#ifndef SL_CLI_TERMS_H
#define SL_CLI_TERMS_H

enum sl_term {
    SL_TERM_AUTHORITY,
    SL_TERM_SERVER,
    SL_TERM_OPERATOR,
    SL_TERM_NODE,
    SL_TERM_CANARY,
    SL_TERM_CRL
};

/* Days. */
struct sl_term_days {
    const char *what;
    long life;  /* when it is made */
    long renew; /* it is renewed by itself when it has fewer left; 0: never */
    long warn;  /* so few left are worth telling */
    long urgent;
};
extern const struct sl_term_days sl_terms[];

enum sl_term_state { SL_TERM_FINE, SL_TERM_SOON, SL_TERM_URGENT, SL_TERM_OVER };
/* days_left: as sl_pki_days_until gives them; 0 or less: it is over. */
enum sl_term_state sl_term_judge(enum sl_term term, long days_left);
/* "fine", "soon", "urgent", "over". */
const char *sl_term_text(enum sl_term_state state);

#endif
