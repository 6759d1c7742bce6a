/* The command line: finds the verb and runs it. */
#include "cli/verbs.h"

int main(int argc, char **argv)
{
    return hp_program_main(&cli_program, argc, argv);
}
