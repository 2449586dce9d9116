/* A picture for a terminal: one character and one style in each cell. Pure, without a terminal.
 *
 * Text from the network is safe in it: a cell holds printable ASCII or a glyph of our own, whatever
 * was put there. What lies outside the picture is cut.
 */
#ifndef SL_CLI_GRID_H
#define SL_CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A larger terminal shows the picture in its upper left corner. */
#define SL_GRID_WIDTH_MAX  320
#define SL_GRID_HEIGHT_MAX 120

enum sl_style {
    SL_STYLE_PLAIN,
    SL_STYLE_BOLD,
    SL_STYLE_DIM,
    SL_STYLE_GOOD,
    SL_STYLE_WARN,
    SL_STYLE_BAD
};

/* Beside printable ASCII: the bar's cell in eighths, its empty part, a rule. */
enum sl_glyph {
    SL_GLYPH_EIGHTH = 0x80,
    SL_GLYPH_FULL = SL_GLYPH_EIGHTH + 7,
    SL_GLYPH_EMPTY,
    SL_GLYPH_RULE
};

struct sl_cell {
    uint8_t glyph, style;
};

struct sl_grid {
    int width, height;
    struct sl_cell cells[SL_GRID_HEIGHT_MAX][SL_GRID_WIDTH_MAX];
};

/* Blank, and of this size as far as the limits above go. */
void sl_grid_clear(struct sl_grid *grid, int width, int height);

/* Put text at a place; gives the column behind it, also where it was cut. Any other byte than
 * printable ASCII becomes '?'. */
int sl_grid_put(struct sl_grid *grid, int row, int column, enum sl_style style, const char *text);

/* A bar of len cells, part of whole filled: full only when it is all, empty only when it is 0. */
int sl_grid_bar(struct sl_grid *grid, int row, int column, int len, enum sl_style style,
                uint64_t part, uint64_t whole);
/* A rule to the right edge. */
void sl_grid_rule(struct sl_grid *grid, int row, int column, enum sl_style style);

/* A cell's character, for a terminal that knows UTF-8 or only ASCII. */
const char *sl_grid_character(struct sl_cell cell, bool is_utf8);

#endif
