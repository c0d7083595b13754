/* Loads the library that the argument names, in a child of fork, too: so a
   program can that has to fork first. */
#include <dlfcn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iphlpapi.h>

static int use(const char *name)
{
    ULONG size = 0;
    union {
        void *object;
        DWORD(WINAPI *call)(PIP_INTERFACE_INFO, PULONG);
    } f;
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);

    if (library == NULL) {
        puts(dlerror());
        return 1;
    }
    f.object = dlsym(library, "GetInterfaceInfo");
    return f.object == NULL || f.call(NULL, &size) != ERROR_NO_DATA || dlclose(library) != 0;
}

int main(int argc, char **argv)
{
    int status = 0;
    pid_t child = fork();

    if (argc != 2)
        return 2;
    if (child == 0)
        _exit(use(argv[1]));
    if (waitpid(child, &status, 0) != child || status != 0 || use(argv[1]) != 0)
        return 1;
    puts("all is so");
    return 0;
}
