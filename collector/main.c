/* The command line: finds the verb and runs it. */
#include "collector/verbs.h"

int main(int argc, char **argv)
{
    return collector_main(argc, argv);
}
