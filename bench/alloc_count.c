/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloc_count: counts allocations of the program it is preloaded into.
 *
 *	ALLOC_COUNT=/tmp/n LD_PRELOAD=./alloc_count.so program
 *
 * The count, 8 bytes in the machine's order, is kept in that file, shared: it
 * can be read at any time.  malloc, calloc, realloc and aligned allocations
 * count; free does not.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *ptr, size_t size);
extern void *__libc_memalign(size_t align, size_t size);

static uint64_t before;		/* until the file is mapped */
static uint64_t *count = &before;

static void add(void)
{
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
	add();
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	add();
	return __libc_calloc(n, size);
}

void *realloc(void *ptr, size_t size)
{
	add();
	return __libc_realloc(ptr, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	add();
	return __libc_memalign(align, size);
}

int posix_memalign(void **ptr, size_t align, size_t size)
{
	add();
	*ptr = __libc_memalign(align, size);
	return *ptr ? 0 : 12;		/* ENOMEM */
}

__attribute__((constructor)) static void map(void)
{
	const char *path = getenv("ALLOC_COUNT");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	void *p;

	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(*count)) == 0) {
		p = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);
		if (p != MAP_FAILED)
			count = p;
	}
	close(fd);
}
