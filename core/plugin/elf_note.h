/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_note.h: what an ELF file says of itself, read without running it.
 */
#ifndef CORE_ELF_NOTE_H
#define CORE_ELF_NOTE_H

#include <weir/plugin.h>

/* A file's bytes, or its first. */
struct elf {
	const uint8_t *base;
	size_t size;
	weir_str dynstr;	/* names */
	weir_str dynsym;	/* table of Elf64_Sym */
	weir_str dynamic;	/* table of Elf64_Dyn */
};

/* Why a file is no plugin: a sentence without its name.  False when so. */
bool elf_open(struct elf *elf, int fd, const char **why);
void elf_close(struct elf *elf);
/* Copies the note "Weir" type 1 out; false when there is none. */
bool elf_weir_note(const struct elf *elf, struct weir_note *note);
/* The same of an open file; NULL, or why there is none. */
const char *elf_read_note(int fd, struct weir_note *note);
/* Walks undefined, not weak symbols; NULL at the end.  *i starts at 0. */
const char *elf_undefined(const struct elf *elf, size_t *i);
/* Walks the names of libraries that it needs (DT_NEEDED), likewise. */
const char *elf_needed(const struct elf *elf, size_t *i);

#endif
