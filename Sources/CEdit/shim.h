// libedit's functions take any arguments, which Swift cannot call: one function for each use.
#include <histedit.h>
#include <stdio.h>
#include <wchar.h>

typedef char *(*dbtool_edit_prompt)(EditLine *);
typedef unsigned char (*dbtool_edit_function)(EditLine *, int);

static inline EditLine *dbtool_edit_open(const char *name) {
    return el_init(name, stdin, stdout, stderr);
}

// What stands between two bytes of 1 takes no room on the screen.
static inline int dbtool_edit_set_prompt(EditLine *edit, dbtool_edit_prompt prompt) {
    return el_set(edit, EL_PROMPT_ESC, prompt, '\1');
}

static inline int dbtool_edit_set_emacs(EditLine *edit) {
    return el_set(edit, EL_EDITOR, "emacs");
}

static inline int dbtool_edit_set_history(EditLine *edit, History *all) {
    return el_set(edit, EL_HIST, history, all);
}

static inline int dbtool_edit_add(
    EditLine *edit, const char *name, const char *help, dbtool_edit_function function) {
    return el_set(edit, EL_ADDFN, name, help, function);
}

static inline int dbtool_edit_bind(EditLine *edit, const char *key, const char *name) {
    return el_set(edit, EL_BIND, key, name, NULL);
}

// While a line is edited, Ctrl-C is a key like others.
static inline int dbtool_edit_keep_signals_off(EditLine *edit) {
    return el_set(edit, EL_SETTY, "-d", "-isig", NULL);
}

static inline int dbtool_history_set_size(History *all, int size) {
    HistEvent event;
    history(all, &event, H_SETUNIQUE, 1);
    return history(all, &event, H_SETSIZE, size);
}

static inline int dbtool_history_add(History *all, const char *line) {
    HistEvent event;
    return history(all, &event, H_ENTER, line);
}

static inline int dbtool_history_load(History *all, const char *path) {
    HistEvent event;
    return history(all, &event, H_LOAD, path);
}

static inline int dbtool_history_save(History *all, const char *path) {
    HistEvent event;
    return history(all, &event, H_SAVE, path);
}

// glibc shows its declaration only to those who define _XOPEN_SOURCE before the first header.
extern int wcwidth(wchar_t);

static inline int dbtool_width(unsigned int scalar) { return wcwidth((wchar_t)scalar); }
