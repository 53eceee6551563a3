/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_note.c: the ELF note of a plugin and the symbols that it needs.
 *
 * Reads little-endian 64-bit ELF of this machine from a read-only mapping, or
 * from a file's first page alone; every offset of the file is checked before it
 * is followed, for the file may be anything.  Nothing of it is ever run here.
 */
#include "elf_note.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#elif defined(__riscv)
#define OUR_MACHINE EM_RISCV
#else
#error "name this machine's ELF e_machine here"
#endif

#define PLUGIN_MAX_BYTES ((size_t)256 << 20)

/* The bytes [offset, offset + len) of the file; NULL when they are not all
 * there. */
static const void *part(const struct elf *elf, uint64_t offset, uint64_t len)
{
	if (offset > elf->size || len > elf->size - offset)
		return NULL;
	return elf->base + offset;
}

/* The i-th entry of a header table, copied: the table may be unaligned. */
static bool entry(const struct elf *elf, uint64_t table, uint64_t stride,
		  uint64_t i, void *out, size_t size)
{
	const void *at;

	if (stride < size || i > UINT16_MAX || table > elf->size)
		return false;
	at = part(elf, table + i * stride, size);
	if (at)
		memcpy(out, at, size);
	return at != NULL;
}

static Elf64_Ehdr header(const struct elf *elf)
{
	Elf64_Ehdr ehdr;

	memcpy(&ehdr, elf->base, sizeof(ehdr));
	return ehdr;
}

static const char *check_header(const struct elf *elf)
{
	Elf64_Ehdr ehdr;

	if (elf->size < sizeof(ehdr))
		return "not an ELF file";
	ehdr = header(elf);
	if (memcmp(ehdr.e_ident, ELFMAG, SELFMAG))
		return "not an ELF file";
	if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_ident[EI_DATA] != ELFDATA2LSB ||
	    ehdr.e_machine != OUR_MACHINE)
		return "built for another architecture";
	if (ehdr.e_type != ET_DYN)
		return "not a shared object";
	return NULL;
}

static bool find_section(const struct elf *elf, uint32_t type,
			 Elf64_Shdr *found)
{
	Elf64_Ehdr ehdr = header(elf);

	for (uint64_t i = 0; i < ehdr.e_shnum; i++)
		if (entry(elf, ehdr.e_shoff, ehdr.e_shentsize, i, found,
			  sizeof(*found)) && found->sh_type == type)
			return true;
	return false;
}

static void find_symbols(struct elf *elf)
{
	Elf64_Ehdr ehdr = header(elf);
	Elf64_Shdr symbols, names;
	const void *at;

	if (!find_section(elf, SHT_DYNSYM, &symbols) ||
	    !entry(elf, ehdr.e_shoff, ehdr.e_shentsize, symbols.sh_link,
		   &names, sizeof(names)))
		return;
	at = part(elf, symbols.sh_offset, symbols.sh_size);
	if (at)
		elf->dynsym = (weir_str){ at, symbols.sh_size };
	at = part(elf, names.sh_offset, names.sh_size);
	if (at && names.sh_size && !((const char *)at)[names.sh_size - 1])
		elf->dynstr = (weir_str){ at, names.sh_size };
	if (!find_section(elf, SHT_DYNAMIC, &symbols))
		return;
	at = part(elf, symbols.sh_offset, symbols.sh_size);
	if (at)
		elf->dynamic = (weir_str){ at, symbols.sh_size };
}

bool elf_open(struct elf *elf, int fd, const char **why)
{
	struct stat st;
	void *base;

	*elf = (struct elf){ 0 };
	*why = "not an ELF file";
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(Elf64_Ehdr) ||
	    (uint64_t)st.st_size > PLUGIN_MAX_BYTES)
		return false;
	base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED) {
		*why = "cannot be read";
		return false;
	}
	elf->base = base;
	elf->size = (size_t)st.st_size;
	*why = check_header(elf);
	if (*why) {
		elf_close(elf);
		return false;
	}
	find_symbols(elf);
	return true;
}

void elf_close(struct elf *elf)
{
	if (elf->base)
		munmap((void *)(uintptr_t)elf->base, elf->size);
	*elf = (struct elf){ 0 };
}

/* Searches the notes in one section or segment.  Each: namesz, descsz, type,
 * name and descriptor padded to 4. */
static bool search_notes(weir_str notes, struct weir_note *note)
{
	while (notes.len >= 12) {
		uint32_t head[3];
		uint64_t name, size;

		memcpy(head, notes.ptr, sizeof(head));
		name = ((uint64_t)head[0] + 3) & ~(uint64_t)3;
		size = 12 + name + (((uint64_t)head[1] + 3) & ~(uint64_t)3);
		if (size > notes.len)
			return false;
		if (head[0] == 5 && head[1] == WEIR_NOTE_DESCSZ &&
		    head[2] == 1 && size >= sizeof(*note) &&
		    !memcmp(notes.ptr + 12, "Weir", 5)) {
			memcpy(note, notes.ptr, sizeof(*note));
			return true;
		}
		notes.ptr += size;
		notes.len -= size;
	}
	return false;
}

static bool search_at(const struct elf *elf, uint64_t offset, uint64_t size,
		      struct weir_note *note)
{
	const void *at = part(elf, offset, size);

	return at && search_notes((weir_str){ at, size }, note);
}

/* Texts of a note end inside their arrays. */
static bool terminated(const struct weir_note *note)
{
	return memchr(note->plugin_type, 0, sizeof(note->plugin_type)) &&
	       memchr(note->aliases, 0, sizeof(note->aliases));
}

bool elf_weir_note(const struct elf *elf, struct weir_note *note)
{
	Elf64_Ehdr ehdr = header(elf);
	Elf64_Phdr segment;
	Elf64_Shdr section;

	for (uint64_t i = 0; i < ehdr.e_phnum; i++)
		if (entry(elf, ehdr.e_phoff, ehdr.e_phentsize, i, &segment,
			  sizeof(segment)) && segment.p_type == PT_NOTE &&
		    search_at(elf, segment.p_offset, segment.p_filesz, note))
			return terminated(note);
	for (uint64_t i = 0; i < ehdr.e_shnum; i++)
		if (entry(elf, ehdr.e_shoff, ehdr.e_shentsize, i, &section,
			  sizeof(section)) && section.sh_type == SHT_NOTE &&
		    search_at(elf, section.sh_offset, section.sh_size, note))
			return terminated(note);
	return false;
}

/* From the first page, without a mapping: linkers put it there. */
static bool peek(int fd, struct weir_note *note)
{
	uint8_t head[4096];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	struct elf elf = { .base = head, .size = n > 0 ? (size_t)n : 0 };

	return !check_header(&elf) && elf_weir_note(&elf, note);
}

const char *elf_read_note(int fd, struct weir_note *note)
{
	struct elf elf;
	const char *why;

	*note = (struct weir_note){ 0 };
	if (peek(fd, note))
		return NULL;
	if (!elf_open(&elf, fd, &why))
		return why;
	if (!elf_weir_note(&elf, note))
		why = "no weir plugin: it has no ELF note \"Weir\"";
	elf_close(&elf);
	return why;
}

const char *elf_undefined(const struct elf *elf, size_t *i)
{
	while ((*i + 1) * sizeof(Elf64_Sym) <= elf->dynsym.len) {
		Elf64_Sym symbol;

		memcpy(&symbol, elf->dynsym.ptr + *i * sizeof(symbol),
		       sizeof(symbol));
		++*i;
		if (symbol.st_shndx == SHN_UNDEF && symbol.st_name &&
		    symbol.st_name < elf->dynstr.len &&
		    ELF64_ST_BIND(symbol.st_info) == STB_GLOBAL)
			return elf->dynstr.ptr + symbol.st_name;
	}
	return NULL;
}

const char *elf_needed(const struct elf *elf, size_t *i)
{
	while ((*i + 1) * sizeof(Elf64_Dyn) <= elf->dynamic.len) {
		Elf64_Dyn dyn;

		memcpy(&dyn, elf->dynamic.ptr + *i * sizeof(dyn), sizeof(dyn));
		++*i;
		if (dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag == DT_NEEDED &&
		    dyn.d_un.d_val < elf->dynstr.len)
			return elf->dynstr.ptr + dyn.d_un.d_val;
	}
	return NULL;
}
