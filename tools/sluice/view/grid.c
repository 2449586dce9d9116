/* Cells, and what fills them. */
#include "view/grid.h"

static void set(struct sl_grid *grid, int row, int column, enum sl_style style, uint8_t glyph)
{
    if (row >= 0 && row < grid->height && column >= 0 && column < grid->width)
        grid->cells[row][column] = (struct sl_cell){glyph, (uint8_t)style};
}

void sl_grid_clear(struct sl_grid *grid, int width, int height)
{
    grid->width = width < SL_GRID_WIDTH_MAX ? width : SL_GRID_WIDTH_MAX;
    grid->height = height < SL_GRID_HEIGHT_MAX ? height : SL_GRID_HEIGHT_MAX;
    for (int row = 0; row < grid->height; row++)
        for (int column = 0; column < grid->width; column++)
            grid->cells[row][column] = (struct sl_cell){' ', SL_STYLE_PLAIN};
}

int sl_grid_put(struct sl_grid *grid, int row, int column, enum sl_style style, const char *text)
{
    for (; *text != '\0'; text++, column++) {
        bool is_printable = *text >= ' ' && *text <= '~';
        set(grid, row, column, style, is_printable ? (uint8_t)*text : '?');
    }
    return column;
}

int sl_grid_bar(struct sl_grid *grid, int row, int column, int len, enum sl_style style,
                uint64_t part, uint64_t whole)
{
    uint64_t room = (uint64_t)(len > 0 ? len : 0) * 8, eighths = 0;
    if (part >= whole)
        eighths = whole > 0 ? room : 0;
    else
        eighths = part * room / whole; /* part < whole: below 2^32 in every use */
    if (part > 0 && eighths == 0 && room > 0)
        eighths = 1;
    if (part < whole && eighths == room && room > 0)
        eighths--;
    for (int i = 0; i < len; i++, column++) {
        uint64_t filled = eighths < 8 ? eighths : 8;
        eighths -= filled;
        if (filled > 0)
            set(grid, row, column, style, (uint8_t)(SL_GLYPH_EIGHTH + filled - 1));
        else
            set(grid, row, column, SL_STYLE_DIM, SL_GLYPH_EMPTY);
    }
    return column;
}

void sl_grid_rule(struct sl_grid *grid, int row, int column, enum sl_style style)
{
    for (; column < grid->width; column++)
        set(grid, row, column, style, SL_GLYPH_RULE);
}

const char *sl_grid_character(struct sl_cell cell, bool is_utf8)
{
    /* U+258F down to U+2588, U+00B7, U+2500 */
    static const char *const utf8[] = {
        "\xE2\x96\x8F", "\xE2\x96\x8E", "\xE2\x96\x8D", "\xE2\x96\x8C", "\xE2\x96\x8B",
        "\xE2\x96\x8A", "\xE2\x96\x89", "\xE2\x96\x88", "\xC2\xB7",     "\xE2\x94\x80"};
    static const char ascii[] = "-----=##.-"; /* eighths, full, empty, rule */
    static char one[2];
    if (cell.glyph >= SL_GLYPH_EIGHTH && cell.glyph <= SL_GLYPH_RULE && is_utf8)
        return utf8[cell.glyph - SL_GLYPH_EIGHTH];
    if (cell.glyph >= SL_GLYPH_EIGHTH && cell.glyph <= SL_GLYPH_RULE)
        one[0] = ascii[cell.glyph - SL_GLYPH_EIGHTH];
    else
        one[0] = cell.glyph >= ' ' && cell.glyph <= '~' ? (char)cell.glyph : '?';
    return one;
}
