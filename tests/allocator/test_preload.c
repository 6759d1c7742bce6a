/*
 * test_preload.c: real programs under LD_PRELOAD give the output they give without.
 *
 * Standing back is forbidden in all of them, so that it is this allocator that serves; and each
 * run leaves statistics, which show that it did. A program that is not installed is named and
 * fails the test: the check profile of the packages has them all.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* name, the command that needs it, and what it runs; its output must not depend on time or order.
 */
static const struct {
    const char *name, *command;
} programs[] = {
    {"/usr/bin/python3",
     "PYTHONMALLOC=malloc /usr/bin/python3 -c \"import json, re, hashlib, threading\n"
     "d = {str(i): [i, i * 0.5, 'x' * (i % 700)] for i in range(20000)}\n"
     "s = json.dumps(d, sort_keys=True)\n"
     "print(len(s), hashlib.sha256(s.encode()).hexdigest())\n"
     "t = [threading.Thread(target=lambda: json.loads(s)) for _ in range(4)]\n"
     "[x.start() for x in t]; [x.join() for x in t]\n"
     "print(len(re.findall('x+', s)), json.loads(s) == d)\""},
    {"git", "git -c init.defaultBranch=m init -q r && cd r && for i in 1 2 3 4 5; do "
            "seq 1 ${i}000 > f$i; git add f$i; GIT_AUTHOR_DATE='1 +0000' "
            "GIT_COMMITTER_DATE='1 +0000' git -c user.name=a -c user.email=a@b commit -qm $i; "
            "done; git log --stat --format=%H%s; git repack -adq; git fsck --no-progress"},
    {"gcc", "printf '#include <stdio.h>\\nint main(void) { puts(\"gcc\"); return 0; }\\n' > a.c; "
            "gcc -O2 -g -o a a.c && ./a && gcc -O2 -S -o - a.c | cksum"},
    {"g++", "printf '#include <map>\\n#include <iostream>\\n#include <regex>\\nint main() { "
            "std::map<int, std::string> m; for (int i = 0; i < 99999; i++) m[i * 7 %% 1000] += "
            "\"x\"; std::cout << m.size() << m[5].size() << std::regex_match(\"aab\", "
            "std::regex(\"a*b\")) << std::endl; }\\n' > a.cc; g++ -O1 -o a a.cc && ./a"},
    {"perl",
     "perl -e 'my %h; $h{$_ % 5000} .= $_ for 1..200000; my $s = join \",\", map "
     "{\"$_$h{$_}\"} sort keys %h; print length($s), \" \", unpack(\"%32C*\", $s), \"\\n\"'"},
    {"node", "node -e 'const m = new Map(); for (let i = 0; i < 2e5; i++) m.set(\"k\" + i, "
             "Buffer.alloc(i % 3000)); let n = 0; for (const b of m.values()) n += b.length; "
             "console.log(n, require(\"zlib\").gzipSync(Buffer.alloc(1 << 20)).length)'"},
    {"sqlite3", "sqlite3 t.db 'create table t(a, b); with recursive c(x) as (select 1 union all "
                "select x + 1 from c where x < 50000) insert into t select x, hex(x * 7919) from "
                "c; create index i on t(b); select count(*), max(b), sum(a) from t where b > "
                "\"3\"; pragma integrity_check;'"},
    {"jq", "seq 1 30000 | jq -s 'map({a: ., b: (. * 3 | tostring)}) | group_by(.a % 7) | map("
           "length, (map(.b | length) | add))' | cksum"},
    {"sort", "seq 1 200000 | awk '{print ($1 * 7919) % 200003, $1}' | sort -S 4M --parallel=2 | "
             "cksum"},
    {"xz", "seq 1 400000 | xz -T2 --block-size=500K -c | xz -dc | cksum"},
    /* The server is the same binary as redis-check-rdb, and needs no service to be installed. */
    {"redis-check-rdb",
     "ln -sf $(command -v redis-check-rdb) redis-server; "
     "./redis-server --port 0 --unixsocket ./s --save '' "
     "--daemonize no > log 2>&1 & p=$!; i=0; while ! redis-cli -s ./s ping 2>/dev/null | grep -q "
     "PONG; do sleep 0.1; i=$((i+1)); [ $i -gt 200 ] && break; done; redis-benchmark -s ./s -q -n "
     "20000 -t set,get,lpush,lpop,sadd,zadd -r 5000 >/dev/null 2>&1; echo $?; redis-cli -s ./s "
     "--raw dbsize | awk '{print ($1 > 1000)}'; redis-cli -s ./s --raw flushall; redis-cli -s ./s "
     "--raw set k v; redis-cli -s ./s --raw get k; kill $p; wait $p; echo $?"},
    /* PostgreSQL refuses root, and its user may not be able to enter the checkout. */
    {"psql",
     "[ -z \"$LD_PRELOAD\" ] || { cp \"$LD_PRELOAD\" lib.so; LD_PRELOAD=$PWD/lib.so; }; "
     "b=$(ls -d /usr/lib/postgresql/*/bin | tail -1); u=; if [ $(id -u) = 0 ]; then chown "
     "postgres . && u='setpriv --reuid postgres --regid postgres --clear-groups'; fi; "
     "$u $b/initdb -D d -A trust -U p --no-sync >/dev/null && ($u $b/pg_ctl -D d -l log -w -o "
     "\"-c listen_addresses= -k $PWD -F\" start >/dev/null; $u $b/pgbench -h $PWD -U p -i -q "
     "postgres 2>/dev/null; $u $b/pgbench -h $PWD -U p -c 4 -j 2 -t 200 -n postgres 2>&1 | grep "
     "'actually processed'; psql -h $PWD -U p -Atc 'select count(*), sum(bid) from "
     "pgbench_accounts' postgres; $u $b/pg_ctl -D d -m fast stop >/dev/null; grep -ciE "
     "'panic|signal [0-9]' log)"},
};

/* Runs the command without and with the library; both must succeed and say the same. */
START_TEST(test_same_output)
{
    static char plain[1 << 20];
    const char *in = "d=$(mktemp -d) && chmod 755 $d && cd $d && ";
    const char *out = "rm -rf $d";
    struct outcome *o = run_shell("command -v %s", programs[_i].name);
    ck_assert_msg(exited_with(o, 0), "%s is not installed", programs[_i].name);
    o = run_shell("%s{ %s ; }; %s", in, programs[_i].command, out);
    ck_assert(exited_with(o, 0));
    ck_assert_uint_gt(o->len, 0);
    memcpy(plain, o->text, o->len + 1);
    o = run_shell("%s export HAKMEM_LD_FORBID_LIBC=1 HAKMEM_STATS_FILE=$d/stats.%%p "
                  "LD_PRELOAD=%s/lib/libhakmem.so; { %s ; }; export LD_PRELOAD=; ls $d | grep -c "
                  "'^stats' >$d/../count.%d; %s",
                  in, build_dir(), programs[_i].command, _i, out);
    ck_assert(exited_with(o, 0));
    ck_assert_str_eq(o->text, plain);
    o = run_shell("cat ${TMPDIR:-/tmp}/count.%d; rm -f ${TMPDIR:-/tmp}/count.%d", _i, _i);
    ck_assert_msg(atoi(o->text) > 0, "%s left no statistics", programs[_i].name);
}
END_TEST

/* A program that stood back says so, in its statistics and on stderr. `because` is what it says;
 * the program prints 7. */
static void stands_back(const char *variables, const char *because)
{
    char said[256];
    snprintf(said, sizeof said,
             "hakmem: stands back, all calls go to the next allocator: %s\n7\n"
             "[true,\"%s\",0]\n",
             because, because);
    struct outcome *o =
        run_shell("d=$(mktemp -d); HAKMEM_STATS_FILE=$d/s %s "
                  "/usr/bin/python3 -c 'print(7)'; "
                  "jq -c '[.standing_back, .standing_back_because, .counters[\"tiny.allocs\"]]' "
                  "$d/s; rm -rf $d",
                  variables);
    ck_assert_str_eq(o->text, said);
}

/* With another allocator in the process the library stands back, and says so. */
START_TEST(test_standing_back)
{
    const char *lib = build_dir();
    char variables[4096];
    struct outcome *o = run_shell("ls /usr/lib/*/libjemalloc.so.2");
    ck_assert_msg(exited_with(o, 0), "libjemalloc2 is not installed");
    o->text[strcspn(o->text, "\n")] = '\0';
    char jemalloc[512];
    snprintf(jemalloc, sizeof jemalloc, "%s", o->text);
    snprintf(variables, sizeof variables, "HAKMEM_LD_SAFE=2 LD_PRELOAD=%s/lib/libhakmem.so", lib);
    stands_back(variables, "HAKMEM_LD_SAFE=2");
    snprintf(variables, sizeof variables, "LD_PRELOAD=%s/lib/libhakmem.so:%s", lib, jemalloc);
    stands_back(variables, "the program brings jemalloc");
    snprintf(variables, sizeof variables,
             "HAKMEM_LD_BLOCK_JEMALLOC=0 HAKMEM_LD_SAFE=1 LD_PRELOAD=%s/lib/libhakmem.so:%s", lib,
             jemalloc);
    stands_back(variables, "the program brings jemalloc");
    o = run_shell("HAKMEM_LD_TRACE=2 HAKMEM_LD_BLOCK_JEMALLOC=0 "
                  "LD_PRELOAD=%s/lib/libhakmem.so:%s /bin/echo 7",
                  lib, jemalloc);
    ck_assert_str_eq(o->text, "hakmem: this library serves\n7\n");
    o = run_shell("HAKMEM_LD_TRACE=0 LD_PRELOAD=%s/lib/libhakmem.so:%s /bin/echo 7", lib, jemalloc);
    ck_assert_str_eq(o->text, "7\n");
    o = run_shell("HAKMEM_LD_FORBID_LIBC=1 HAKMEM_LD_SAFE=2 LD_PRELOAD=%s/lib/libhakmem.so "
                  "/bin/ls",
                  lib);
    ck_assert(strstr(o->text, "standing back is forbidden by HAKMEM_LD_FORBID_LIBC"));
    o = run_shell("HAKMEM_LD_FORBID_LIBC=1 HAKMEM_LD_BLOCK_JEMALLOC=1 "
                  "LD_PRELOAD=%s/lib/libhakmem.so:%s /bin/ls",
                  lib, jemalloc);
    ck_assert(strstr(o->text, "standing back is forbidden by HAKMEM_LD_FORBID_LIBC"));
    o = run_shell("HAKMEM_LD_FORBID_LIBC=1 HAKMEM_LD_TRACE=2 LD_PRELOAD=%s/lib/libhakmem.so:%s "
                  "/bin/echo 7",
                  lib, jemalloc);
    ck_assert_str_eq(o->text, "hakmem: this library serves\n7\n");
}
END_TEST

/* Where system calls are few and no file can be opened, the library still starts and serves. */
START_TEST(test_sandbox)
{
    struct outcome *o = run_shell("LD_PRELOAD=%s/lib/libhakmem.so strace -f -o /dev/null -e "
                                  "inject=getrandom,madvise:error=EPERM /usr/bin/python3 -c "
                                  "'print(sum(len(\"y\" * i) for i in range(9999)))'",
                                  build_dir());
    ck_assert(exited_with(o, 0));
    ck_assert_str_eq(o->text, "49985001\n");
}
END_TEST

START_TEST(test_under_gdb)
{
    struct outcome *o = run_shell("gdb -q -batch -ex run --args '%s' --probe shadow 3 20000 300 "
                                  "9000 2>&1",
                                  self_path());
    ck_assert(strstr(o->text, "exited normally"));
}
END_TEST

Suite *suite_preload(void)
{
    Suite *s = suite_create("preload");
    TCase *t = tcase_create("preload");
    tcase_set_timeout(t, 180);
    tcase_add_loop_test(t, test_same_output, 0, sizeof programs / sizeof *programs);
    tcase_add_test(t, test_standing_back);
    tcase_add_test(t, test_sandbox);
    tcase_add_test(t, test_under_gdb);
    suite_add_tcase(s, t);
    return s;
}
