/**
 * How many connections the kernel holds for us until they are accepted: Linux's own bound (`net.core.somaxconn`), as Go
 * programs take it (go `src/net/sock_linux.go`). Node's 511 is passed by one burst, and whoever is dropped then waits a
 * second for his next attempt.
 */
export const backlog = 4096
