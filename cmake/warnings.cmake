# Warnings for our own code; errors where SL_WERROR says so (CI and the presets).
option(SL_WERROR "Treat warnings as errors" OFF)
add_library(sl_warnings INTERFACE)
target_compile_options(sl_warnings INTERFACE
    -Wall -Wextra -Wconversion -Wshadow -Wswitch-enum -Wvla -Wmissing-prototypes -Wstrict-prototypes
    $<$<BOOL:${SL_WERROR}>:-Werror>)
