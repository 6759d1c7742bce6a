/*
 * test_preload.c: real programs under LD_PRELOAD give the output they give without.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

/* Runs the command without and with the library; both must succeed and say the same. */
static void same_output(const char *command)
{
    static char plain[1 << 20];
    struct outcome *o = run_shell("%s", command);
    ck_assert(exited_with(o, 0));
    memcpy(plain, o->text, o->len + 1);
    o = run_shell("LD_PRELOAD=%s/lib/libhakmem.so; export LD_PRELOAD; %s", build_dir(), command);
    ck_assert(exited_with(o, 0));
    ck_assert_str_eq(o->text, plain);
}

START_TEST(test_python)
{
    same_output("PYTHONMALLOC=malloc /usr/bin/python3 -c \"import json, re, hashlib\n"
                "d = {str(i): [i, i * 0.5, 'x' * (i % 700)] for i in range(20000)}\n"
                "s = json.dumps(d, sort_keys=True)\n"
                "print(len(s), hashlib.sha256(s.encode()).hexdigest())\n"
                "print(len(re.findall('x+', s)), json.loads(s) == d)\"");
}
END_TEST

START_TEST(test_git)
{
    same_output("d=$(mktemp -d) && cd $d && git -c init.defaultBranch=m init -q r && cd r && "
                "for i in 1 2 3 4 5; do seq 1 ${i}000 > f$i; git add f$i; "
                "GIT_AUTHOR_DATE='1 +0000' GIT_COMMITTER_DATE='1 +0000' "
                "git -c user.name=a -c user.email=a@b commit -qm $i; done; "
                "git log --stat --format=%H%s; git repack -adq; git fsck --no-progress; "
                "rm -rf $d");
}
END_TEST

Suite *suite_preload(void)
{
    Suite *s = suite_create("preload");
    TCase *t = tcase_create("preload");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_python);
    tcase_add_test(t, test_git);
    suite_add_tcase(s, t);
    return s;
}
