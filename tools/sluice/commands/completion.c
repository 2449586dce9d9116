/* sluice completion: the completion of bash and zsh, made from the table of subcommands.
 *
 * Both scripts walk over the words before the cursor, with the same case lines: they find the
 * subcommand (of one or two words), the option whose value comes next, and how many words came
 * behind the subcommand. What may stand at the cursor follows from these three. */
#include "cli/cli.h"
#include "site/file.h"
#include "site/site.h"
#include "store/identity.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS };
static const struct sl_option options[] = {
    [WORDS] = {.name = "--words",
               .kind = SL_OPTION_TEXT,
               .value = "KIND",
               .offer = SL_OFFER_CHOICES,
               .choices = "nodes operators",
               .help = "print these names of the site instead, as the scripts ask for them"},
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_completion = {
    .name = "completion",
    .summary = "print the completion script of a shell",
    .arguments = (const struct sl_argument[]){{.name = "SHELL",
                                               .help = "bash or zsh",
                                               .is_optional = true,
                                               .offer = SL_OFFER_CHOICES,
                                               .choices = "bash zsh"},
                                              {.name = NULL}},
    .options = options,
    .text = "The script completes subcommands, options and their values, the nodes and operators "
            "of the site, zones and files. It asks the site's folder, never the broker.",
    .manual = "An installed sluice brings both scripts along: bash finds its own with the package "
              "bash-completion, zsh with compinit.",
    .examples = (const struct sl_example[]){{"eval \"$(sluice completion bash)\"", "in ~/.bashrc:"},
                                            {"sluice completion zsh > ~/.zsh/_sluice",
                                             "for zsh, into a folder of fpath, before compinit:"},
                                            {NULL, NULL}},
    .run = run,
};

static enum sl_exit print_words(const struct sl_cli *cli, const char *kind);
static void print_walk(void);
static void print_option_values(bool is_zsh);
static void print_options(bool is_zsh);
static void print_arguments(bool is_zsh);
static void print_offer(bool is_zsh, enum sl_offer offer, const char *choices);

static const char bash_begin[] =
    "# bash completion for sluice: printed by 'sluice completion bash'\n"
    "\n"
    "# A word as the program would get it. No expansion: the line is not to be run.\n"
    "_sluice_plain()\n"
    "{\n"
    "    local text=$1\n"
    "    [[ $text == '~'/* ]] && text=$HOME${text:1}\n"
    "    case $text in\n"
    "    \\'*) text=${text#\\'} text=${text%\\'} ;;\n"
    "    \\\"*)\n"
    "        text=${text#\\\"} text=${text%\\\"}\n"
    "        text=${text//'\\\"'/'\"'} text=${text//'\\$'/'$'} text=${text//'\\`'/'`'}\n"
    "        text=${text//'\\\\'/'\\'}\n"
    "        ;;\n"
    "    *) IFS= read -d '' text < <(printf '%s\\0' \"$text\") ;; # without -r: a\\ b is a b\n"
    "    esac\n"
    "    printf '%s' \"$text\"\n"
    "}\n"
    "\n"
    "_sluice()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} site=${SLUICE_SITE:-site}\n"
    "    local command= option= place=0 kind= offers= word i\n"
    "    COMPREPLY=()\n"
    "    [[ $current == = ]] && current=\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        [[ $word == = ]] && continue # --site=DIR comes as three words\n"
    "        if [[ $option ]]; then\n"
    "            [[ $option == --site ]] && site=$(_sluice_plain \"$word\")\n"
    "            option=\n"
    "            continue\n"
    "        fi\n";

static const char zsh_begin[] =
    "#compdef sluice\n"
    "# zsh completion for sluice: printed by 'sluice completion zsh'\n"
    "\n"
    "_sluice() {\n"
    "    local current=${words[CURRENT]} site=${SLUICE_SITE:-site}\n"
    "    local command= option= kind= word\n"
    "    local -a offers\n"
    "    integer place=0 i\n"
    "    for ((i = 2; i < CURRENT; i++)); do\n"
    "        word=${(Q)words[i]}\n"
    "        if [[ -n $option ]]; then\n"
    "            [[ $option == --site ]] && site=${word/#\\~\\//$HOME/}\n"
    "            option=\n"
    "            continue\n"
    "        fi\n"
    "        if [[ $word == --site=* ]]; then\n"
    "            site=${${word#--site=}/#\\~\\//$HOME/}\n"
    "            continue\n"
    "        fi\n";

static const char zsh_value[] = "    if [[ $current == --*=* ]]; then\n"
                                "        option=${current%%=*}\n"
                                "        compset -P '*='\n"
                                "    fi\n";

static const char bash_end[] =
    "    case $kind in\n"
    "    words) mapfile -t COMPREPLY < <(compgen -W \"$offers\" -- \"$current\") ;;\n"
    "    nodes | operators)\n"
    "        offers=$(\"$(_sluice_plain \"${COMP_WORDS[0]}\")\" --site \"$site\" completion "
    "--words "
    "\"$kind\" 2>/dev/null)\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$offers\" -- \"$current\")\n"
    "        ;;\n"
    "    files | folders)\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        [[ $kind == files ]] && i=-f || i=-d\n"
    "        mapfile -t COMPREPLY < <(compgen $i -- \"$(_sluice_plain \"$current\")\")\n"
    "        ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _sluice sluice\n";

static const char zsh_end[] = "    case $kind in\n"
                              "    words) _describe -t words word offers ;;\n"
                              "    options) _describe -o -t options option offers ;;\n"
                              "    nodes | operators)\n"
                              "        offers=(${(f)\"$(${(Q)words[1]} --site \"$site\" completion "
                              "--words $kind 2>/dev/null)\"})\n"
                              "        _describe -t $kind ${kind%s} offers\n"
                              "        ;;\n"
                              "    files) _files ;;\n"
                              "    folders) _files -/ ;;\n"
                              "    esac\n"
                              "}\n"
                              "\n"
                              "# Read by compinit as a function, or by eval.\n"
                              "if [[ $funcstack[1] == _sluice ]]; then\n"
                              "    _sluice \"$@\"\n"
                              "else\n"
                              "    compdef _sluice sluice\n"
                              "fi\n";

static enum sl_exit run(struct sl_cli *cli)
{
    const char *kind = cli->values[WORDS].text, *shell = cli->words[0];
    if (kind)
        return print_words(cli, kind);
    if (!shell)
        return sl_cli_fail(SL_ERROR(ARGUMENT_MISSING), "SHELL", "completion", "bash");
    bool is_zsh = strcmp(shell, "zsh") == 0;
    if (!is_zsh && strcmp(shell, "bash") != 0)
        return sl_cli_fail(SL_ERROR(SHELL_UNKNOWN), shell);
    fputs(is_zsh ? zsh_begin : bash_begin, stdout);
    print_walk();
    fputs(is_zsh ? zsh_value : "", stdout);
    print_option_values(is_zsh);
    print_options(is_zsh);
    print_arguments(is_zsh);
    fputs(is_zsh ? zsh_end : bash_end, stdout);
    return SL_EXIT_DONE;
}

/* --- names of the site ---------------------------------------------------------------------- */

static int is_node(const struct dirent *entry)
{
    return sl_identity_is_name(sl_view_text(entry->d_name));
}

/* Names only: a key at the terminal must not read the files of 2000 nodes. */
static enum sl_exit print_words(const struct sl_cli *cli, const char *kind)
{
    struct sl_site site;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code != SL_EXIT_DONE)
        return code;
    if (strcmp(kind, "operators") == 0) {
        for (size_t i = 0; i < site.operators_len; i++)
            puts(site.operators[i]);
        return SL_EXIT_DONE;
    }
    if (strcmp(kind, "nodes") != 0)
        return sl_cli_fail(SL_ERROR(WORDS_UNKNOWN), kind);
    struct dirent **entries = NULL;
    struct sl_path folder = sl_path_join(site.root, "nodes");
    int len = scandir(folder.text, &entries, is_node, alphasort);
    if (len < 0)
        return sl_file_fail("read", folder.text);
    for (int i = 0; i < len; i++) {
        puts(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return SL_EXIT_DONE;
}

/* --- case lines, the same for both shells --------------------------------------------------- */

/* No earlier subcommand has the same first word. Those that share one stand together. */
static bool is_new_word(size_t i)
{
    const char *name = sl_commands[i]->name, *last = i > 0 ? sl_commands[i - 1]->name : "";
    size_t len = strcspn(name, " ");
    return strcspn(last, " ") != len || memcmp(last, name, len) != 0;
}

/* The rest of the loop over the words before the cursor. */
static void print_walk(void)
{
    puts("        case \"$command $word\" in\n"
         "        *\" --site\") option=$word ;;");
    for (size_t i = 0; sl_commands[i]; i++)
        for (const struct sl_option *at = sl_commands[i]->options; at && at->name; at++)
            if (at->value)
                printf("        \"%s %s\") option=$word ;;\n", sl_commands[i]->name, at->name);
    puts("        *\" --\"*) ;;");
    for (size_t i = 0; sl_commands[i]; i++) {
        const char *name = sl_commands[i]->name;
        if (is_new_word(i))
            printf("        \" %.*s\") command=$word ;;\n", (int)strcspn(name, " "), name);
        if (strchr(name, ' '))
            printf("        \"%s\") command+=\" $word\" ;;\n", name);
    }
    puts("        *) place=$((place + 1)) ;;\n"
         "        esac\n"
         "    done");
}

static void print_option_values(bool is_zsh)
{
    puts("    case \"$command $option\" in\n"
         "    *\" --site\") kind=folders ;;");
    for (size_t i = 0; sl_commands[i]; i++)
        for (const struct sl_option *at = sl_commands[i]->options; at && at->name; at++) {
            if (!at->value || at->offer == SL_OFFER_NOTHING)
                continue;
            printf("    \"%s %s\") ", sl_commands[i]->name, at->name);
            print_offer(is_zsh, at->offer, at->choices);
        }
    puts("    *\" --\"*) kind=nothing ;; # a value that nobody can guess\n"
         "    esac");
}

static void print_word(bool is_zsh, const char *word, const char *help)
{
    if (!is_zsh) {
        printf(" %s", word);
        return;
    }
    printf(" '%s:", word);
    for (const char *at = help; *at != '\0'; at++)
        at[0] == '\'' ? fputs("'\\''", stdout) : putchar(*at);
    putchar('\'');
}

static void print_options(bool is_zsh)
{
    printf("    if [[ -z $kind && $current == -* ]]; then\n"
           "        kind=%s\n"
           "        case $command in\n",
           is_zsh ? "options" : "words");
    for (size_t i = 0; sl_commands[i]; i++) {
        printf("        \"%s\") offers=%s", sl_commands[i]->name, is_zsh ? "(" : "\"");
        for (const struct sl_option *at = sl_commands[i]->options; at && at->name; at++)
            print_word(is_zsh, at->name, at->help);
        puts(is_zsh ? " ) ;;" : "\" ;;");
    }
    printf("        esac\n        offers+=%s", is_zsh ? "(" : "\"");
    for (const struct sl_option *at = sl_global_options; at->name; at++)
        print_word(is_zsh, at->name, at->help);
    puts(is_zsh ? " )\n    fi" : "\"\n    fi");
}

/* What comes behind the first len letters (a word and its blank) of each subcommand that shares
 * them, in one text. */
static void list_seconds(size_t i, size_t len, char *out, size_t out_len)
{
    const char *first = sl_commands[i]->name, *between = "";
    size_t used = 0;
    for (; sl_commands[i] && strncmp(sl_commands[i]->name, first, len) == 0; i++) {
        used += (size_t)snprintf(out + used, out_len - used, "%s%s", between,
                                 sl_commands[i]->name + len);
        between = ", ";
    }
}

/* The first words of subcommands, the second ones behind first, then the arguments. */
static void print_arguments(bool is_zsh)
{
    const char *before = is_zsh ? "(" : "\"", *after = is_zsh ? " ) ;;" : "\" ;;";
    printf("    [[ -n $kind ]] || case \"$command $place\" in\n    \" 0\") kind=words offers=%s",
           before);
    for (size_t i = 0; sl_commands[i]; i++) {
        const char *name = sl_commands[i]->name;
        size_t len = strcspn(name, " ");
        char first[32], seconds[80];
        snprintf(first, sizeof first, "%.*s", (int)len, name);
        if (name[len] == ' ')
            list_seconds(i, len + 1, seconds, sizeof seconds);
        if (is_new_word(i))
            print_word(is_zsh, first, name[len] == ' ' ? seconds : sl_commands[i]->summary);
    }
    puts(after);
    for (size_t i = 0; sl_commands[i]; i++) {
        const char *name = sl_commands[i]->name;
        size_t len = strcspn(name, " ") + 1;
        if (strchr(name, ' ') && is_new_word(i)) {
            printf("    \"%.*s0\") kind=words offers=%s", (int)len, name, before);
            for (size_t k = i; sl_commands[k] && strncmp(sl_commands[k]->name, name, len) == 0; k++)
                print_word(is_zsh, sl_commands[k]->name + len, sl_commands[k]->summary);
            puts(after);
        }
        const struct sl_argument *arguments = sl_commands[i]->arguments;
        for (size_t k = 0; arguments && arguments[k].name; k++) {
            if (arguments[k].offer == SL_OFFER_NOTHING)
                continue;
            printf("    \"%s %zu\") ", name, k);
            print_offer(is_zsh, arguments[k].offer, arguments[k].choices);
        }
    }
    puts("    esac");
}

static void print_offer(bool is_zsh, enum sl_offer offer, const char *choices)
{
    static const char *const kinds[] = {
        [SL_OFFER_NOTHING] = "nothing", [SL_OFFER_CHOICES] = "words",
        [SL_OFFER_NODES] = "nodes",     [SL_OFFER_OPERATORS] = "operators",
        [SL_OFFER_FILES] = "files",     [SL_OFFER_FOLDERS] = "folders"};
    printf("kind=%s", kinds[offer]);
    if (offer == SL_OFFER_CHOICES)
        printf(is_zsh ? " offers=(%s)" : " offers=\"%s\"", choices);
    puts(" ;;");
}
