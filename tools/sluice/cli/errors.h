/* Every failure that sluice tells: one list makes the identifier, the exit code, the words on the
 * terminal and the page docs/errors.md. A message names the thing and its cause, then the cure.
 */
#ifndef SL_CLI_ERRORS_H
#define SL_CLI_ERRORS_H

#include "base/error_list.h"

/* Stable: scripts depend on them. Name, number, what it means. */
#define SL_EXIT_LIST(X)                                                                            \
    X(SL_EXIT_DONE, 0, "done")                                                                     \
    X(SL_EXIT_REFUSED, 1, "the node, the broker or a rule said no")                                \
    X(SL_EXIT_USAGE, 2, "the command line is wrong")                                               \
    X(SL_EXIT_NO_ANSWER, 3, "broker or node is away, or did not answer in time")                   \
    X(SL_EXIT_FILES, 4, "a local file is missing, unreadable, corrupt or cannot be written")       \
    X(SL_EXIT_WARNINGS, 5, "'sluice doctor' found warnings, no error")                             \
    X(SL_EXIT_ERRORS, 6, "'sluice doctor' found errors")

enum sl_exit {
#define X(code, number, text) code = (number),
    SL_EXIT_LIST(X)
#undef X
};

#define SL_CURE_RESTORE                                                                            \
    "restore it from a backup, or, for a node, remove its folder and add it again"
#define SL_CURE_STRANGER                                                                           \
    "check that --site names the right folder, and that no other broker listens there"

#define SL_CURE_APPLY   "make it anew with 'sluice maintain'"
#define SL_CURE_INSTALL "write it anew with 'sluice broker install'"

/* Name; exit code; what the marks stand for, in their order; the thing and its cause; the cure.
 * The identifier is the name in small letters with hyphens. The marks are printf's, so that the
 * compiler checks every call. */
#define SL_ERROR_LIST(X)                                                                           \
    /* the command line */                                                                         \
    X(SUBCOMMAND_UNKNOWN, USAGE, "WORD", "there is no subcommand '%s'", "see 'sluice --help'")     \
    X(SUBCOMMAND_HALF, USAGE, "WORD WORDS", "'%s' is only the first word of a subcommand",         \
      "follow it with one of: %s")                                                                 \
    X(SUBCOMMAND_MISSPELT, USAGE, "WORD SUBCOMMAND", "there is no subcommand '%s'",                \
      "did you mean '%s'?")                                                                        \
    X(SITE_UNNAMED, USAGE, "", "--site names no folder", "write --site DIR")                       \
    X(PASSPHRASE_FD_BAD, USAGE, "WORD", "'%s' is no number of an open file for --passphrase-fd",   \
      "write for example --passphrase-fd 3 3<FILE")                                                \
    X(OPTION_UNKNOWN, USAGE, "OPTION SUBCOMMAND", "there is no option '%s'",                       \
      "see 'sluice %s --help'")                                                                    \
    X(OPTION_MISSPELT, USAGE, "OPTION OPTION SUBCOMMAND", "there is no option '%s'",               \
      "did you mean %s? See 'sluice %s --help'")                                                   \
    X(OPTION_VALUE_MISSING, USAGE, "OPTION SUBCOMMAND", "%s needs a value",                        \
      "see 'sluice %s --help'")                                                                    \
    X(OPTION_VALUE_UNWANTED, USAGE, "OPTION OPTION", "%s takes no value", "write only %s")         \
    X(OPTION_VALUE_BAD, USAGE, "VALUE OPTION MIN MAX", "'%s' is no value for %s",                  \
      "use a number from %ld to %ld")                                                              \
    X(OPTION_TOO_OFTEN, USAGE, "OPTION COUNT", "%s is given too often",                            \
      "it may be given %d times")                                                                  \
    X(ARGUMENT_MISSING, USAGE, "NAME SUBCOMMAND ARGUMENTS", "%s is missing",                       \
      "write 'sluice %s %s'")                                                                      \
    X(ARGUMENT_EXTRA, USAGE, "WORD SUBCOMMAND", "'%s' is one argument too many",                   \
      "see 'sluice %s --help'")                                                                    \
    X(SHELL_UNKNOWN, USAGE, "WORD", "there is no completion for '%s'", "use bash or zsh")          \
    X(WORDS_UNKNOWN, USAGE, "WORD", "there are no words of the kind '%s'",                         \
      "use nodes or operators")                                                                    \
    X(HOST_BAD, USAGE, "WORD", "'%s' is neither a host name nor an address",                       \
      "use something like broker.lan or 192.168.1.1")                                              \
    X(BIND_BAD, USAGE, "WORD", "'%s' is no address that a broker could listen on",                 \
      "use an address of this computer, like 192.168.1.1, or 0.0.0.0 for all of them")             \
    X(BROKER_NAME_BAD, USAGE, "NAME", "'%s' cannot be a broker's name",                            \
      "use a DNS name, for example sluice-broker")                                                 \
    X(OPERATOR_NAME_BAD, USAGE, "NAME MAX", "'%s' cannot be an operator's name",                   \
      "use a-z, 0-9, then also - and _, at most %d characters")                                    \
    X(OPERATOR_NAME_BROKER, USAGE, "NAME", "an operator cannot be called like the broker ('%s')",  \
      "choose another name")                                                                       \
    X(OPERATOR_NAME_WATCH, USAGE, "NAME",                                                          \
      "'%s' ends like the read-only certificates, which come by themselves",                       \
      "choose a name without '-watch'")                                                            \
    X(OPERATOR_TWICE, USAGE, "NAME", "operator '%s' is named twice", "name each operator once")    \
    X(OPERATOR_UNKNOWN, USAGE, "NAME NAMES", "there is no operator '%s' in this site",             \
      "use one of: %s")                                                                            \
    X(NODE_NAME_BAD, USAGE, "NAME MAX", "'%s' cannot be a node's name",                            \
      "use a-z, 0-9, then also - and _, at most %d characters")                                    \
    X(NODE_UNKNOWN, USAGE, "NAME", "there is no node '%s' in this site", "see 'sluice node list'") \
    X(BASE_BAD, USAGE, "TOPIC MAX", "'%s' cannot be a base topic",                                 \
      "use letters, digits, '.', '-', '_' and single slashes between them, at most %d characters") \
    X(ZONE_UNKNOWN, USAGE, "WORD MAX", "zone '%s' does not exist",                                 \
      "use 0 to %d ('sluice off' also takes all)")                                                 \
    X(CONFIG_ALONE, USAGE, "WORD", "--config looks at a file and not at a site", "leave out %s")   \
    X(SECONDS_BAD, USAGE, "WORD MAX", "'%s' is no time", "use 0 to %d seconds")                    \
    /* the site and its nodes */                                                                   \
    X(SITE_MISSING, FILES, "FOLDER", "there is no site at %s",                                     \
      "make one with 'sluice init', or name another with --site")                                  \
    X(SITE_EXISTS, REFUSED, "FOLDER", "%s exists already, and nothing was changed",                \
      "work with it, or choose another --site")                                                    \
    X(PATH_LONG, FILES, "", "a path in the site is too long",                                      \
      "give the site a folder with a shorter path")                                                \
    X(SITE_PATH_BREAK, FILES, "FOLDER", "a site's path cannot have line breaks (%s)",              \
      "move the site, or choose another --site")                                                   \
    X(SITE_PATH_SHELL, FILES, "FOLDER", "the path %s has a character that a shell would change",   \
      "move the site, or use --json or --write")                                                   \
    X(SITE_FOLDER_MISSING, FILES, "FOLDER", "there is no folder %s", "make it first")              \
    X(SITE_BUSY, REFUSED, "FOLDER", "another sluice command is changing %s",                       \
      "wait for its end and try again")                                                            \
    X(NODE_EXISTS, REFUSED, "NODE VERB NODE",                                                      \
      "there is a node %s already, and nothing was changed",                                       \
      "'sluice node %s %s --replace' makes it a new key and certificate")                          \
    X(NODE_NOT_THERE, REFUSED, "NODE", "there is no node %s to replace", "see 'sluice node list'") \
    X(NODE_NAME_TAKEN, REFUSED, "NAME", "'%s' is the name of the broker or of an operator",        \
      "choose another")                                                                            \
    X(NODE_FOLDER_TAKEN, REFUSED, "FOLDER", "there is a folder %s already",                        \
      "remove it, or choose another name")                                                         \
    X(NODE_FOREIGN, FILES, "FOLDER NAME", "%s/%s is no node of this site", "move it away")         \
    X(NODES_TOO_MANY, REFUSED, "FOLDER MAX", "%s has no room for more than %d nodes",              \
      "remove one, or make a second site")                                                         \
    X(BASE_TAKEN, REFUSED, "TOPIC NODE TOPIC",                                                     \
      "the topics of '%s' would be those of node %s ('%s')", "choose another --base")              \
    X(RECORD_NO_JSON, FILES, "FILE", "%s is not valid JSON", SL_CURE_RESTORE)                      \
    X(RECORD_BAD, FILES, "FILE KEY", "%s has a missing or wrong value ('%s')", SL_CURE_RESTORE)    \
    X(IDENTITY_BAD, FILES, "FILE CAUSE", "%s is no identity image (%s)", SL_CURE_RESTORE)          \
    X(IDENTITY_DIFFERS, FILES, "FILE", "%s and the files beside it do not agree", SL_CURE_RESTORE) \
    X(IDENTITY_TOO_LARGE, FILES, "NODE CAUSE", "the identity of %s cannot be made (%s)",           \
      "use a shorter base, host or broker name")                                                   \
    /* enrolment */                                                                                \
    X(ENROL_NO_PORT, USAGE, "", "--port DEV is missing",                                           \
      "name the serial line to the device, for example /dev/ttyUSB0")                              \
    X(FINGERPRINT_BAD, USAGE, "WORD", "'%s' is no fingerprint",                                    \
      "copy it from the device's log: at least 16 digits from 0 to 9 and A to F")                  \
    X(FINGERPRINT_UNJUDGED, USAGE, "",                                                             \
      "nobody can say here whether the device shows the same fingerprint",                         \
      "run it on a terminal, or give --fingerprint, or --yes where nobody else has the line")      \
    X(FINGERPRINT_DIFFERS, REFUSED, "FINGERPRINT",                                                 \
      "the key that came over the line has another fingerprint (%s), and nothing was changed",     \
      "look into the device's log again; if it shows another one, somebody sits in between")       \
    X(FINGERPRINT_DENIED, REFUSED, "", "the fingerprints were not the same: nothing was changed",  \
      "find out what is on the line before you try again")                                         \
    X(SERIAL_MISSING, FILES, "DEVICE CAUSE", "serial line %s: cannot be found (%s)",               \
      "plug it in, and see 'dmesg' for its name")                                                  \
    X(SERIAL_DENIED, FILES, "DEVICE CAUSE", "serial line %s: this user may not use it (%s)",       \
      "join its group (Debian: 'adduser USER dialout', then log in again)")                        \
    X(SERIAL_BUSY, REFUSED, "DEVICE", "serial line %s: another program uses it",                   \
      "end that, such as a terminal program, and try again")                                       \
    X(SERIAL_UNFIT, FILES, "DEVICE CAUSE", "serial line %s: cannot be set up (%s)",                \
      "name a tty that does 115200 baud")                                                          \
    X(SERIAL_LOST, NO_ANSWER, "DEVICE CAUSE", "serial line %s: it went away (%s)",                 \
      "plug it in and enrol the device again")                                                     \
    X(DEVICE_SILENT, NO_ANSWER, "DEVICE SECONDS", "no device answers on %s (%u s)",                \
      "check the cable, and that the device has no identity yet; one that has needs its reset "    \
      "held while it starts")                                                                      \
    X(DEVICE_VERSION, REFUSED, "DEVICE",                                                           \
      "the device on %s speaks another version of the enrolment protocol",                         \
      "use programs of one version")                                                               \
    X(DEVICE_REFUSED, REFUSED, "DEVICE CAUSE CURE", "the device on %s refuses: %s", "%s")          \
    X(ENROLLED_OFFLINE, NO_ANSWER, "NAME SECONDS",                                                 \
      "%s has its identity, but was not online within %u s",                                       \
      "check that its network leads to the broker; its log says what it tries")                    \
    X(WIFI_BAD, FILES, "MAX MAX", "the Wi-Fi network cannot be given like this",                   \
      "write its name (at most %d bytes), in the next line its passphrase (8 to %d printable "     \
      "characters, none for an open network)")                                                     \
    X(WIFI_NO_TERMINAL, USAGE, "", "there is no terminal to ask for the Wi-Fi network on",         \
      "write it into a file, and give --wifi FILE")                                                \
    /* files */                                                                                    \
    X(FILE_MISSING, FILES, "FILE", "%s is missing", SL_CURE_RESTORE)                               \
    X(FILE_EMPTY, FILES, "FILE", "%s is empty", SL_CURE_RESTORE)                                   \
    X(FILE_TOO_LARGE, FILES, "FILE", "%s is larger than such a file can be", SL_CURE_RESTORE)      \
    X(FILE_NO_FILE, FILES, "FILE", "%s is not a regular file", SL_CURE_RESTORE)                    \
    X(FILE_NOT_OURS, REFUSED, "FILE", "%s was not made by this command, and was not replaced",     \
      "choose another name, or move away what is there")                                           \
    X(FILE_DENIED, FILES, "VERB FILE CAUSE", "cannot %s %s (%s)",                                  \
      "run this as the user who made the site")                                                    \
    X(FILE_NO_SPACE, FILES, "VERB FILE CAUSE", "cannot %s %s (%s)",                                \
      "free some space on that disk, then try again")                                              \
    X(FILE_NO_FOLDER, FILES, "VERB FILE CAUSE", "cannot %s %s (%s)",                               \
      "make the folder above it first, or restore the site from a backup")                         \
    X(FILE_IN_WAY, FILES, "VERB FILE CAUSE", "cannot %s %s (%s)",                                  \
      "a file stands where one of its folders should be: move it away, or give another path")      \
    X(FILE_READ_ONLY, FILES, "VERB FILE CAUSE", "cannot %s %s (%s)",                               \
      "mount that disk for writing, or move the site to another")                                  \
    X(FILE_DISK, FILES, "VERB FILE CAUSE", "cannot %s %s (%s)",                                    \
      "look into the kernel's log (dmesg): the disk may be failing; restore the site elsewhere")   \
    X(FILE_LINK, FILES, "VERB FILE CAUSE", "cannot %s %s (%s)",                                    \
      "put the file itself there in place of a symbolic link")                                     \
    X(FILES_OPEN, FILES, "VERB FILE CAUSE", "cannot %s %s (%s)",                                   \
      "end other programs, or raise the limit of open files (ulimit -n)")                          \
    X(FILE_FAILED, FILES, "VERB FILE CAUSE", "cannot %s %s (%s)", "check the folder and its disk") \
    X(OUTPUT_FAILED, FILES, "CAUSE", "cannot write the output (%s)",                               \
      "check the disk, or the program behind the pipe")                                            \
    X(MEMORY, FILES, "", "out of memory", "end other programs and try again")                      \
    X(PROCESS_FAILED, FILES, "CAUSE", "cannot start a process (%s)",                               \
      "end other programs, or raise the limit of processes (ulimit -u)")                           \
    /* keys and certificates */                                                                    \
    X(OPENSSL, FILES, "VERB CAUSE", "cannot %s (%s)",                                              \
      "check this computer's OpenSSL, then try again")                                             \
    X(CERTIFICATE_BAD, FILES, "FILE", "%s holds no certificate", SL_CURE_RESTORE)                  \
    X(CERTIFICATE_EARLY, FILES, "FILE DAY", "%s cannot be used (it begins on %s)",                 \
      "set this computer's clock right; where it is right, the one that made it was fast: wait, "  \
      "or make it again")                                                                          \
    X(CERTIFICATE_EXPIRED, FILES, "FILE DAY", "%s cannot be used (it expired on %s)",              \
      "check this computer's clock; if it is right: 'sluice operator renew NAME' for an "          \
      "operator's, 'sluice maintain' for the broker's, a new site for the authority's")            \
    X(CERTIFICATE_NO_CA, FILES, "FILE", "%s cannot be used (it is no certificate authority)",      \
      SL_CURE_RESTORE)                                                                             \
    X(SIGNER_FOREIGN, FILES, "FILE", "%s was not signed by this site's authority",                 \
      SL_CURE_RESTORE)                                                                             \
    X(KEY_BAD, FILES, "FILE", "%s holds no key for the certificate beside it",                     \
      "restore both from a backup")                                                                \
    X(PASSPHRASE_WRONG, REFUSED, "FILE", "the passphrase does not open %s",                        \
      "try again with the right one; nothing was changed")                                         \
    X(PASSPHRASE_NONE, REFUSED, "THING", "%s is locked, and nobody gave a passphrase",             \
      "run this on a terminal, or give --passphrase-fd N or $SLUICE_PASSPHRASE_FILE")              \
    X(PASSPHRASE_UNCHOSEN, USAGE, "", "the CA's key needs a passphrase, and nobody gave one",      \
      "run this on a terminal, give --passphrase-fd N or $SLUICE_PASSPHRASE_FILE, or choose "      \
      "--no-passphrase")                                                                           \
    X(PASSPHRASE_NEW_NONE, USAGE, "", "nobody gave the new passphrase for the CA's key",           \
      "run this on a terminal, or give --new-passphrase-fd N")                                     \
    X(PASSPHRASE_UNREADABLE, FILES, "THING CAUSE", "cannot read a passphrase for %s (%s)",         \
      "check the descriptor, file or terminal that it comes from")                                 \
    X(PASSPHRASE_FILE_OPEN, FILES, "FILE FILE", "others can read the passphrase in %s",            \
      "run 'chmod 600 %s', and choose another passphrase if somebody may have read it")            \
    X(PASSPHRASE_EMPTY, USAGE, "THING", "the passphrase for %s is empty or no text",               \
      "give one line of text")                                                                     \
    X(PASSPHRASE_SHORT, USAGE, "THING MIN", "the new passphrase for %s is too short",              \
      "use at least %d characters; a few random words are good")                                   \
    X(PASSPHRASE_LONG, USAGE, "THING MAX", "the passphrase for %s is too long",                    \
      "use at most %d characters")                                                                 \
    X(PASSPHRASE_DIFFERS, USAGE, "THING", "the two passphrases for %s differ",                     \
      "nothing was changed; try again")                                                            \
    X(REQUEST_BAD, REFUSED, "NODE CAUSE", "the certificate request of %s is refused (%s)",         \
      "make sure that it comes from this node; let it make a new one")                             \
    X(BROKER_THERE_ALREADY, REFUSED, "HOST PORT", "the broker is at %s:%u already",                \
      "name the address that it moves to")                                                         \
    X(NODE_IS_REVOKED, REFUSED, "NODE NODE", "%s is revoked, and gets no certificate",             \
      "give the name to a device by 'sluice node add %s --replace', or 'sluice node enrol'")       \
    X(RENEW_TOO_OFTEN, REFUSED, "NODE COUNT NODE",                                                 \
      "%s has had %u certificates in 24 hours and gets no other now",                              \
      "look at 'sluice status %s', then renew it by hand")                                         \
    X(RENEW_LOCKED, REFUSED, "FOLDER", "the CA's key of %s is not here, or cannot be unlocked",    \
      "give its passphrase: see 'sluice renew --help'")                                            \
    X(RENEW_UNHEARD, NO_ANSWER, "NODE SECONDS", "%s sent no request for a certificate in %u s",    \
      "check that its version can renew itself and that it has a state folder")                    \
    X(RENEW_UNUSED, NO_ANSWER, "NODE SECONDS",                                                     \
      "%s has not opened a session with its new certificate in %u s; the old one goes on",         \
      "look at its log, and at 'certificate' in its report; a node tries up to 4 min")             \
    X(RENEW_FAILED, REFUSED, "NODE CAUSE",                                                         \
      "%s could not use its new certificate (%s) and goes on with the old one",                    \
      "its log says more; check the broker's address and certificate")                             \
    X(RENEW_NOBODY, USAGE, "", "no node is named",                                                 \
      "name one, or use --all, or --serve for a service")                                          \
    X(REQUEST_KEY_USED, REFUSED, "NODE PURPOSE NAME",                                              \
      "the certificate request of %s has a key that belongs to another (%s %s)",                   \
      "let the node make a new key: each key stands for one name")                                 \
    X(SERIAL_TWICE, FILES, "SERIAL", "a new certificate would have a serial that was used (%s)",   \
      "this computer's random numbers repeat: do not make keys here before that is mended")        \
    X(CA_ELSEWHERE, REFUSED, "FOLDER", "the CA's key of %s is on another machine",                 \
      "ask for what must be signed with 'sluice ca request FILE'")                                 \
    X(CA_HERE, REFUSED, "FOLDER", "the CA's key of %s is here",                                    \
      "use the other commands, or take it away with 'sluice ca offline DIR'")                      \
    X(CARRIED_BAD, FILES, "FILE WHAT", "%s cannot be used (%s)",                                   \
      "carry it here again, or make a new one with 'sluice ca request'")                           \
    X(CARRIED_FOREIGN, REFUSED, "FILE", "%s is of another site's authority",                       \
      "check that --site names the right folder")                                                  \
    X(CARRIED_OLD, REFUSED, "FILE", "%s has a revocation list that is older than the site's",      \
      "use the newest answer, or make a new one with 'sluice ca request'")                         \
    X(ROLL_NONE, REFUSED, "FOLDER", "%s is not going over to a new authority",                     \
      "begin with 'sluice ca roll'")                                                               \
    X(ROLL_WAITS, REFUSED, "NODES",                                                                \
      "these nodes have not been seen with the new authority, and would be shut out: %s",          \
      "renew or replace them ('sluice ca roll --status' tells how), or use --force")               \
    X(ROLL_UNDER_WAY, REFUSED, "FOLDER", "%s is going over to a new authority",                    \
      "see 'sluice ca roll --status', and finish that first")                                      \
    X(CRL_BAD, FILES, "FILE",                                                                      \
      "%s holds no revocation list, and without it the broker would let revoked clients in",       \
      SL_CURE_RESTORE)                                                                             \
    /* backups */                                                                                  \
    X(BACKUP_EXISTS, REFUSED, "FILE", "%s exists already, and nothing was changed",                \
      "choose another name for the backup")                                                        \
    X(BACKUP_INSIDE, USAGE, "FILE", "%s is inside the site",                                       \
      "write the backup somewhere else, best on another disk")                                     \
    X(BACKUP_PASSPHRASE_NONE, USAGE, "FILE", "nobody gave the passphrase of %s",                   \
      "run this on a terminal, or give --passphrase-fd N or $SLUICE_BACKUP_PASSPHRASE_FILE")       \
    X(BACKUP_STRANGE, FILES, "FILE", "%s does not belong in a site, or is too large",              \
      "move it away, then make the backup again")                                                  \
    X(BACKUP_CHANGED, FILES, "FILE", "%s changed while it was read",                               \
      "end what changes it, then make the backup again")                                           \
    X(BACKUP_MISSING, FILES, "FILE", "there is no backup %s",                                      \
      "name the file that 'sluice backup' made")                                                   \
    X(BACKUP_FOREIGN, FILES, "FILE", "%s is no backup that this version can read",                 \
      "name the file that 'sluice backup' made")                                                   \
    X(BACKUP_LOCKED, FILES, "FILE",                                                                \
      "%s cannot be opened: the passphrase is wrong, or the file is damaged",                      \
      "try again with the right one, or take another backup; nothing was written")                 \
    X(BACKUP_DAMAGED, FILES, "FILE", "%s is damaged or cut short",                                 \
      "copy it again, or take another backup; nothing was written")                                \
    X(BACKUP_CONTENT, FILES, "FILE", "%s holds something that no site has",                        \
      "take another backup; nothing was written")                                                  \
    /* the broker on this computer */                                                              \
    X(BROKER_RUNS, REFUSED, "FOLDER PROCESS PROCESS",                                              \
      "the broker of %s runs already (process %d)", "use it, or end it with 'kill %d'")            \
    X(BROKER_KILLED, REFUSED, "SIGNAL", "the broker was ended by signal %d",                       \
      "start it again with 'sluice broker run'; its last lines above may say more")                \
    X(BROKER_ENDED, REFUSED, "CODE", "the broker ended by itself (code %d)",                       \
      "its last lines above say why")                                                              \
    X(BROKER_NOT_TOLD, REFUSED, "PROCESS CAUSE",                                                   \
      "cannot tell the running broker of its new list (process %d: %s)",                           \
      "send it SIGHUP as its user, or start it again")                                             \
    X(BROKER_LIST_IGNORED, REFUSED, "BROKER", "%s did not read its files again",                   \
      "its log says why; then start it again")                                                     \
    X(BROKER_SHOWS_OTHER, REFUSED, "BROKER FILE", "%s shows another certificate than %s",          \
      "start it again")                                                                            \
    X(BROKER_LETS_ALL_IN, REFUSED, "BROKER", "%s lets in who has no certificate",                  \
      "stop it; its log says why")                                                                 \
    X(CANARY_MISSING, FILES, "FOLDER",                                                             \
      "%s has no canaries, by which its broker is tried (it is of an earlier version)",            \
      "make them with 'sluice maintain'")                                                          \
    X(ACL_NO_MARK, FILES, "FILE", "%s was cut, or is no access list of sluice", SL_CURE_APPLY)     \
    X(ACL_LINE, FILES, "FILE NUMBER LINE",                                                         \
      "%s, line %u ('%s'): sluice writes no such line, and "                                       \
      "Mosquitto could take it for leave to do everything",                                        \
      SL_CURE_APPLY)                                                                               \
    X(CONF_LINE, FILES, "FILE NUMBER LINE",                                                        \
      "%s, line %u ('%s'): sluice writes no such line there", SL_CURE_INSTALL)                     \
    X(CONF_CUT, FILES, "FILE SETTING", "%s was cut (no %s)", SL_CURE_INSTALL)                      \
    X(CONF_POINTS, FILES, "FILE FILE", "%s does not name %s", SL_CURE_INSTALL)                     \
    X(CONF_FOREIGN, FILES, "FILE SETTING", "%s may open the broker ('%s')",                        \
      "remove the line, or the file")                                                              \
    X(PEM_FOREIGN, FILES, "FILE WHAT", "%s is not what belongs there (%s)", SL_CURE_APPLY)         \
    X(CRL_ENDED, FILES, "FILE DAY", "%s ended on %s, and with it the broker lets nobody in",       \
      SL_CURE_APPLY)                                                                               \
    X(CRL_NO_CANARY, FILES, "FILE", "%s does not have the revoked canary", SL_CURE_APPLY)          \
    X(BROKER_KEY_SIGNS, FILES, "FILE", "%s holds the key of the authority",                        \
      "remove it, and make a new site: who had it could make every certificate")                   \
    X(BROKER_FILE_STRANGE, FILES, "FILE", "%s is no file of sluice",                               \
      "move it away: only what the broker needs belongs there")                                    \
    X(BROKER_FILE_RIGHTS, FILES, "FILE RIGHTS RIGHTS", "%s is %s and must be %s",                  \
      "'sluice broker apply' sets it right")                                                       \
    X(BROKER_NOT_INSTALLED, FILES, "FOLDER", "no broker was installed below %s",                   \
      "'sluice broker install' does it")                                                           \
    X(BROKER_ROLLED_BACK, REFUSED, "FOLDER",                                                       \
      "the running broker does not obey the new files of %s, and has the last good ones again",    \
      "its log says why; 'sluice broker apply' tries again")                                       \
    X(BROKER_STOPPED, REFUSED, "FOLDER",                                                           \
      "the running broker does not obey the files of %s and was stopped: closed beats open",       \
      "its log says why; start it again when 'sluice broker check' finds nothing")                 \
    X(BROKER_USER_MISSING, FILES, "", "there is no group mosquitto on this computer",              \
      "install Mosquitto first, or use --bundle for the broker's computer")                        \
    X(BROKER_OPEN, REFUSED, "BROKER", "%s no longer keeps to its access list",                     \
      "stop it; its log says why")                                                                 \
    X(BROKER_LETS_IN, REFUSED, "BROKER", "%s still lets in a certificate that was revoked",        \
      "stop it; its log says why")                                                                 \
    X(BROKER_REFUSES_ALL, REFUSED, "BROKER", "%s refuses a good certificate",                      \
      "check its computer's clock, its log, and the end of its revocation list")                   \
    X(TRIAL_FAILED, REFUSED, "FOLDER LINE", "Mosquitto does not start with the files of %s (%s)",  \
      "what it says names the file; 'sluice maintain' makes them anew")                            \
    X(TRIAL_PORT, FILES, "CAUSE", "there is no free port on the loopback for a trial (%s)",        \
      "end other programs, then try again")                                                        \
    X(BROKER_FILES_ENDED, REFUSED, "FOLDER",                                                       \
      "the revocation list or the broker's certificate of %s has ended, and the CA's key is not "  \
      "here or locked",                                                                            \
      "run 'sluice maintain' where the CA's key is")                                               \
    X(MOSQUITTO_MISSING, FILES, "", "mosquitto is not installed",                                  \
      "apt-get install mosquitto, or add its folder to PATH")                                      \
    X(PORT_TAKEN, REFUSED, "PORT ADDRESS", "port %u on %s is taken by another program",            \
      "end it, or change 'port' in site.json")                                                     \
    X(PORT_UNUSABLE, REFUSED, "ADDRESS PORT CAUSE", "cannot listen on %s:%u (%s)",                 \
      "change 'bind' and 'port' in site.json to an address of this computer and a free port")      \
    X(BIND_UNKNOWN, REFUSED, "ADDRESS CAUSE", "cannot listen on %s (%s)",                          \
      "change 'bind' in site.json to an address of this computer")                                 \
    /* the way to the broker */                                                                    \
    X(OPERATOR_BUSY, REFUSED, "NAME", "another command is connected as %s",                        \
      "wait for its end, or use another --operator")                                               \
    X(OPERATOR_TAKEN_OVER, NO_ANSWER, "NAME",                                                      \
      "another program connected as %s, and the broker keeps one connection a certificate",        \
      "end it, or use another --operator")                                                         \
    X(BROKER_HOST_UNKNOWN, NO_ANSWER, "HOST CAUSE", "the broker's name %s is not known here (%s)", \
      "check the network, or 'host' in site.json")                                                 \
    X(BROKER_DOWN, NO_ANSWER, "HOST PORT", "nothing listens at %s:%u",                             \
      "start the broker with 'sluice broker run'")                                                 \
    X(BROKER_FAR, NO_ANSWER, "HOST PORT CAUSE", "cannot reach the broker at %s:%u (%s)",           \
      "check the network, and 'host' and 'port' in site.json")                                     \
    X(BROKER_SILENT, NO_ANSWER, "HOST PORT", "the broker at %s:%u does not answer",                \
      "check that it is a Mosquitto with TLS, and neither overloaded nor stopped")                 \
    X(BROKER_HUNG_UP, NO_ANSWER, "HOST PORT",                                                      \
      "the broker at %s:%u closed the connection before it began",                                 \
      "check that it is the broker of this site; its log says why")                                \
    X(BROKER_REFUSED, NO_ANSWER, "NAME CAUSE", "the broker refused %s (%s)",                       \
      "check that it is the broker of this site, started with 'sluice broker run'; its log says "  \
      "why")                                                                                       \
    X(BROKER_LOST, NO_ANSWER, "HOST PORT CAUSE",                                                   \
      "the connection to the broker at %s:%u was lost (%s)",                                       \
      "check that the broker runs, then try again")                                                \
    X(BROKER_UNCONFIRMED, NO_ANSWER, "TOPIC", "the broker did not confirm %s in time",             \
      "check that it is neither overloaded nor stopped, then try again")                           \
    X(TOPIC_NO_READ, REFUSED, "NAME TOPIC CAUSE", "the broker does not let %s read %s (%s)",       \
      "start it again with 'sluice broker run'")                                                   \
    X(TOPIC_NO_WRITE, REFUSED, "NAME TOPIC", "the broker does not let %s write %s",                \
      "start it again with 'sluice broker run'")                                                   \
    X(MESSAGE_REFUSED, REFUSED, "TOPIC CAUSE", "the broker refused a message to %s (%s)",          \
      "its log says why")                                                                          \
    X(TLS_CERTIFICATE_REVOKED, NO_ANSWER, "HOST PORT NAME",                                        \
      "the broker at %s:%u refused the certificate of %s (TLS alert 44, revoked)",                 \
      "use another --operator, or make it a new one with 'sluice operator renew'")                 \
    X(TLS_CERTIFICATE_EARLY, NO_ANSWER, "HOST PORT NAME",                                          \
      "the broker at %s:%u refused the certificate of %s (TLS alert 42: by its clock it, or the "  \
      "revocation list, begins only later)",                                                       \
      "set the clock of the broker's computer right; 'sluice doctor' looks at the files")          \
    X(TLS_CERTIFICATE_EXPIRED, NO_ANSWER, "HOST PORT NAME DAY",                                    \
      "the broker at %s:%u refused the certificate of %s (TLS alert 45, ended; by our clock it "   \
      "is valid until %s)",                                                                        \
      "set the clock of the broker's computer right, or give it the revocation list of today "     \
      "('sluice maintain')")                                                                       \
    X(TLS_LIST_ENDED, NO_ANSWER, "HOST PORT DAY",                                                  \
      "the broker at %s:%u lets nobody in: the revocation list ended on %s",                       \
      "run 'sluice maintain', or start 'sluice broker run' again")                                 \
    X(TLS_BROKER_DATES, NO_ANSWER, "HOST PORT DAY DAY",                                            \
      "the certificate of the broker at %s:%u is valid from %s to %s only",                        \
      "check this computer's clock; if it is right, run 'sluice maintain', or start 'sluice "      \
      "broker run' again")                                                                         \
    X(TLS_CERTIFICATE_STRANGE, NO_ANSWER, "HOST PORT NAME",                                        \
      "the broker at %s:%u does not know the authority of %s (TLS alert 48)", SL_CURE_STRANGER)    \
    X(TLS_BROKER_STRANGE, NO_ANSWER, "HOST PORT",                                                  \
      "the certificate of the broker at %s:%u is not of this site, or not valid today",            \
      SL_CURE_STRANGER                                                                             \
      "; check this computer's clock; 'sluice broker run' renews the certificate")                 \
    X(TLS_BROKER_NAME, NO_ANSWER, "HOST PORT",                                                     \
      "the certificate of the broker at %s:%u is for another name", "check 'host' in site.json")   \
    X(TLS_NOT_SPOKEN, NO_ANSWER, "HOST PORT", "what listens at %s:%u does not speak TLS",          \
      SL_CURE_STRANGER)                                                                            \
    X(TLS_FAILED, NO_ANSWER, "HOST PORT CAUSE", "no TLS with the broker at %s:%u (%s)",            \
      "its log says why")                                                                          \
    X(TLS_FILES, FILES, "FILE CAUSE", "the certificate %s and its key cannot be used (%s)",        \
      SL_CURE_RESTORE)                                                                             \
    /* the node's answer */                                                                        \
    X(NODE_OFFLINE, NO_ANSWER, "NODE CAUSE", "%s is offline (%s) and nothing was sent",            \
      "check its power and network")                                                               \
    X(NODE_SILENT, NO_ANSWER, "NODE SECONDS NODE", "%s did not answer within %u s",                \
      "look at 'sluice status %s'")                                                                \
    X(NODE_NOT_AWAITED, NO_ANSWER, "NODE NODE", "stopped before %s answered",                      \
      "look at 'sluice status %s' for what it did")                                                \
    X(NODE_REFUSED, REFUSED, "NODE REFUSAL", "%s refused", "%s")                                   \
    X(NODE_UNCONFIRMED, NO_ANSWER, "NODE REFUSAL", "%s could not confirm it at the pin", "%s")     \
    X(NODE_ANSWER_UNKNOWN, NO_ANSWER, "NODE", "%s sent an answer that this version does not know", \
      "bring both to the same version")                                                            \
    X(NODE_PINS_DIFFER, NO_ANSWER, "NODE NODE", "%s says done, but its pins do not show it",       \
      "look at 'sluice status %s'")                                                                \
    /* the demo */                                                                                 \
    X(DEMO_NOT_STARTED, FILES, "CAUSE", "the demo could not be started (%s)",                      \
      "run 'make demo', which builds and installs what it needs")                                  \
    X(TERMINAL_FAILED, FILES, "CAUSE", "cannot set up the terminal (%s)",                          \
      "use 'sluice watch --plain' or 'sluice demo --story'")

enum sl_error {
#define X(name, exit, marks, what, cure) SL_ERROR_##name,
    SL_ERROR_LIST(X)
#undef X
        SL_ERROR_COUNT
};

/* The words of each as a constant of its own: the compiler reads the marks from it. */
#define X(name, exit, marks, what, cure) static const char sl_error_text_##name[] = what ": " cure;
SL_ERROR_LIST(X)
#undef X

/* The first two arguments of sl_cli_fail. */
#define SL_ERROR(name) SL_ERROR_##name, sl_error_text_##name

extern const struct sl_error_entry sl_errors[SL_ERROR_COUNT];

#endif
