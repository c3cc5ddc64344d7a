/* measure COUNT PROGRAM ARGUMENT…: runs PROGRAM so often, one after the other, with its stdout thrown away.
 * Prints a line for each run: nanoseconds from fork to end, peak resident KiB, exit code (128 + signal).
 *
 * In C, because what a child's peak starts from is the size of the process that forks it: a script's own
 * interpreter would hide every program smaller than itself. Compiled by scripts/bench. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: measure COUNT PROGRAM ARGUMENT...\n");
        return 2;
    }
    for (int left = atoi(argv[1]); left > 0; left--) {
        long long began = now();
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            return 1;
        }
        if (child == 0) {
            int null = open("/dev/null", O_WRONLY);
            if (null >= 0) dup2(null, STDOUT_FILENO);
            execv(argv[2], argv + 2);
            perror(argv[2]);
            _exit(127);
        }
        int status;
        struct rusage used;
        if (wait4(child, &status, 0, &used) < 0) {
            perror("wait4");
            return 1;
        }
        long long took = now() - began;
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        printf("%lld %ld %d\n", took, used.ru_maxrss, code);
    }
    return 0;
}
