/* What the library leaves of the process it is in: its signals, its children,
   its environment, its memory. Run it where there is an adapter and no service. */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void catch (int number)
{
    caught = number;
}

static DWORD renew(void)
{
    IP_ADAPTER_INDEX_MAP a;
    check_name(&a, "a0");
    return IpRenewAddress(&a);
}

static void signals(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGCHLD, SIGUSR1, SIGUSR2, SIGURG, SIGWINCH, SIGCONT, SIGTSTP};
    struct sigaction now;
    size_t i;

    CHECK_CODE(renew(), ERROR_PROC_NOT_FOUND);
    for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        /* What the program did not change is as it was, but for the signal by
           which the Go runtime interrupts its own threads. */
        CHECK(sigaction(numbers[i], NULL, &now) == 0);
        CHECK(now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN || numbers[i] == SIGURG);
        CHECK(signal(numbers[i], catch) != SIG_ERR);
        CHECK_CODE(renew(), ERROR_PROC_NOT_FOUND);
        caught = 0;
        raise(numbers[i]);
        CHECK(caught == numbers[i]);
        signal(numbers[i], SIG_DFL);
    }
    /* A broken pipe of the program's own is the program's own. */
    CHECK(signal(SIGPIPE, catch) != SIG_ERR);
    CHECK_CODE(renew(), ERROR_PROC_NOT_FOUND);
    {
        int ends[2];
        CHECK(pipe(ends) == 0);
        close(ends[0]);
        caught = 0;
        CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
        CHECK(caught == SIGPIPE);
        close(ends[1]);
    }
    /* And is fatal where it is to be. */
    signal(SIGPIPE, SIG_DFL);
}

/* A daemon that breaks the connection is an error, not the end of the program. */
static void breaking_daemon(void)
{
    struct sockaddr_un at;
    int l = socket(AF_UNIX, SOCK_STREAM, 0), i;
    pid_t child;

    memset(&at, 0, sizeof at);
    at.sun_family = AF_UNIX;
    CHECK(getcwd(at.sun_path, sizeof at.sun_path - 10) != NULL);
    strcat(at.sun_path, "/broken");
    CHECK(bind(l, (struct sockaddr *)&at, sizeof at) == 0 && listen(l, 8) == 0);
    child = fork();
    if (child == 0) {
        for (i = 0; i < 5; i++)
            close(accept(l, NULL, NULL));
        _exit(0);
    }
    /* The library sees what the program sets now. */
    setenv("LESSEE_SOCKET", at.sun_path, 1);
    for (i = 0; i < 5; i++)
        CHECK_CODE(renew(), ERROR_PROC_NOT_FOUND);
    CHECK(waitpid(child, &i, 0) == child && WIFEXITED(i));
    close(l);
    unlink(at.sun_path);
    unsetenv("LESSEE_SOCKET");
}

/* A handler of the program that needs more stack than Go gives its functions, and
   does not ask for another one. */
static volatile long handled;

static void heavy(int number)
{
    volatile char room[100000];
    memset((char *)room, number, sizeof room);
    handled += room[99999] == number;
}

static void *caller(void *nothing)
{
    ULONG size, i;
    for (i = 0; i < 50; i++) {
        size = 0;
        CHECK_CODE(GetInterfaceInfo(NULL, &size), ERROR_INSUFFICIENT_BUFFER);
        CHECK_CODE(GetAdaptersInfo(NULL, &size), ERROR_BUFFER_OVERFLOW);
        CHECK_CODE(renew(), ERROR_PROC_NOT_FOUND);
    }
    return nothing;
}

static void handlers(void)
{
    struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    pthread_t threads[4];
    int i;

    signal(SIGALRM, heavy);
    setitimer(ITIMER_REAL, &every, NULL);
    for (i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, caller, NULL) == 0);
    for (i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    CHECK(handled > 0);
}

static int status_of(pid_t child)
{
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

/* A signal ends a program that waits for a daemon that does not answer. */
static void waiting(void)
{
    struct sockaddr_un at;
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c, status;
    pid_t child;
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    CHECK(n > 0);
    self[n > 0 ? n : 0] = 0;
    memset(&at, 0, sizeof at);
    at.sun_family = AF_UNIX;
    CHECK(getcwd(at.sun_path, sizeof at.sun_path - 10) != NULL);
    strcat(at.sun_path, "/silent");
    CHECK(bind(l, (struct sockaddr *)&at, sizeof at) == 0 && listen(l, 8) == 0);
    child = fork();
    if (child == 0) {
        setenv("LESSEE_SOCKET", at.sun_path, 1);
        execl(self, self, "renew", (char *)NULL);
        _exit(99);
    }
    c = accept(l, NULL, NULL); /* it is in the call */
    kill(child, SIGTERM);
    status = status_of(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    close(c);
    close(l);
    unlink(at.sun_path);
}

static void children(char *self)
{
    pid_t child;
    ULONG size = 0;
    DWORD number = 0;
    IP_ADAPTER_INDEX_MAP a;
    char b[100];
    int status;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        /* No call waits for threads that are not there. */
        check_failures = 0;
        check_name(&a, "a0");
        CHECK_CODE(GetInterfaceInfo(NULL, &size), ERROR_NOT_SUPPORTED);
        CHECK_CODE(GetAdaptersInfo(NULL, &size), ERROR_NOT_SUPPORTED);
        CHECK_CODE(GetPerAdapterInfo(1, NULL, &size), ERROR_NOT_SUPPORTED);
        CHECK_CODE(GetNumberOfInterfaces(&number), ERROR_NOT_SUPPORTED);
        CHECK_CODE(GetAdapterIndex(a.Name, &size), ERROR_NOT_SUPPORTED);
        CHECK_CODE(IpReleaseAddress(&a), ERROR_PROC_NOT_FOUND);
        CHECK_CODE(IpRenewAddress(&a), ERROR_PROC_NOT_FOUND);
        CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 5, 0, b, sizeof b, NULL) == 0);
        CHECK_CODE(GetLastError(), ERROR_NOT_SUPPORTED);
        sprintf(b, "%ws", a.Name);
        CHECK_TEXT(b, "a0");
        fflush(stdout);
        _exit(check_failures != 0);
    }
    status = status_of(child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_CODE(GetInterfaceInfo(NULL, &size), ERROR_INSUFFICIENT_BUFFER);

    /* A program started anew has all. */
    child = fork();
    if (child == 0) {
        execl(self, self, "list", (char *)NULL);
        _exit(99);
    }
    status = status_of(child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == ERROR_INSUFFICIENT_BUFFER);

    /* A fault in C ends the program by the signal, as without the library. */
    child = fork();
    if (child == 0) {
        execl(self, self, "crash", (char *)NULL);
        _exit(99);
    }
    status = status_of(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    child = fork();
    if (child == 0) {
        execl(self, self, "pipe", (char *)NULL);
        _exit(99);
    }
    status = status_of(child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

int main(int argc, char **argv)
{
    ULONG size = 0;

    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return (int)GetInterfaceInfo(NULL, &size);
    if (argc == 2 && strcmp(argv[1], "renew") == 0)
        return (int)renew();
    if (argc == 2 && strcmp(argv[1], "crash") == 0) {
        volatile int *nowhere = NULL;
        GetInterfaceInfo(NULL, &size);
        *nowhere = 1;
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "pipe") == 0) {
        int ends[2];
        GetInterfaceInfo(NULL, &size);
        if (pipe(ends) == 0 && close(ends[0]) == 0)
            return (int)write(ends[1], "x", 1);
        return 0;
    }
    signals();
    handlers();
    waiting();
    breaking_daemon();
    children(argv[0]);
    return check_end();
}
