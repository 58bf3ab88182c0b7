// Opens libcurl and calls it.
#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

/// As `curl_waitfd`.
struct waited {
  int descriptor;
  short events;
  short found;
};
enum { waited_readable = 1 };

/// As `CURLMsg`.
struct message {
  int kind;
  ccurl_easy *easy;
  union {
    void *whatever;
    int result;
  } data;
};
enum { message_ended = 1 };

/// `CURL_GLOBAL_ALL`.
enum { everything = 3 };
/// `CURLU_DEFAULT_PORT`.
enum { port_of_scheme = 1 };

static struct {
  int (*global_init)(long);
  ccurl_easy *(*easy_init)(void);
  void (*easy_cleanup)(ccurl_easy *);
  void (*easy_reset)(ccurl_easy *);
  int (*easy_setopt)(ccurl_easy *, int, ...);
  const char *(*easy_strerror)(int);
  ccurl_list *(*slist_append)(ccurl_list *, const char *);
  void (*slist_free_all)(ccurl_list *);
  ccurl_multi *(*multi_init)(void);
  int (*multi_cleanup)(ccurl_multi *);
  int (*multi_setopt)(ccurl_multi *, int, ...);
  int (*multi_add_handle)(ccurl_multi *, ccurl_easy *);
  int (*multi_remove_handle)(ccurl_multi *, ccurl_easy *);
  int (*multi_perform)(ccurl_multi *, int *);
  int (*multi_poll)(ccurl_multi *, struct waited *, unsigned, int, int *);
  const char *(*multi_strerror)(int);
  struct message *(*multi_info_read)(ccurl_multi *, int *);
  ccurl_url *(*url)(void);
  void (*url_cleanup)(ccurl_url *);
  int (*url_set)(ccurl_url *, int, const char *, unsigned);
  int (*url_get)(ccurl_url *, int, char **, unsigned);
  void (*free)(void *);
} curl;

static const struct {
  const char *name;
  void *place;
} symbols[] = {
    {"curl_global_init", &curl.global_init},
    {"curl_easy_init", &curl.easy_init},
    {"curl_easy_cleanup", &curl.easy_cleanup},
    {"curl_easy_reset", &curl.easy_reset},
    {"curl_easy_setopt", &curl.easy_setopt},
    {"curl_easy_strerror", &curl.easy_strerror},
    {"curl_slist_append", &curl.slist_append},
    {"curl_slist_free_all", &curl.slist_free_all},
    {"curl_multi_init", &curl.multi_init},
    {"curl_multi_cleanup", &curl.multi_cleanup},
    {"curl_multi_setopt", &curl.multi_setopt},
    {"curl_multi_add_handle", &curl.multi_add_handle},
    {"curl_multi_remove_handle", &curl.multi_remove_handle},
    {"curl_multi_perform", &curl.multi_perform},
    // Of 7.66, from 2019; the rest is older.
    {"curl_multi_poll", &curl.multi_poll},
    {"curl_multi_strerror", &curl.multi_strerror},
    {"curl_multi_info_read", &curl.multi_info_read},
    {"curl_url", &curl.url},
    {"curl_url_cleanup", &curl.url_cleanup},
    {"curl_url_set", &curl.url_set},
    {"curl_url_get", &curl.url_get},
    {"curl_free", &curl.free},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[256];

static void open_library(void) {
  static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
  void *library = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && library == NULL; i++) {
    library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    // What is said of the usual one.
    if (library == NULL && i == 0) {
      const char *reason = dlerror();
      snprintf(problem, sizeof problem, "%s", reason ? reason : "it cannot be opened");
    }
  }
  if (library == NULL) return;
  problem[0] = 0;
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *symbol = dlsym(library, symbols[i].name);
    if (symbol == NULL) {
      snprintf(problem, sizeof problem, "the one that is installed is too old: it has no `%s`", symbols[i].name);
      return;
    }
    *(void **)symbols[i].place = symbol;
  }
  int result = curl.global_init(everything);
  if (result != 0) snprintf(problem, sizeof problem, "it does not start: %s", curl.easy_strerror(result));
}

int ccurl_open(void) {
  pthread_once(&once, open_library);
  return problem[0] != 0;
}

const char *ccurl_problem(void) { return problem; }

ccurl_easy *ccurl_easy_new(void) { return curl.easy_init(); }
void ccurl_easy_free(ccurl_easy *easy) { curl.easy_cleanup(easy); }
void ccurl_easy_reset(ccurl_easy *easy) { curl.easy_reset(easy); }

int ccurl_set_number(ccurl_easy *easy, enum ccurl_option option, long value) {
  return curl.easy_setopt(easy, (int)option, value);
}

int ccurl_set_size(ccurl_easy *easy, enum ccurl_option option, int64_t value) {
  return curl.easy_setopt(easy, (int)option, value);
}

int ccurl_set_text(ccurl_easy *easy, enum ccurl_option option, const char *value) {
  return curl.easy_setopt(easy, (int)option, value);
}

int ccurl_set_pointer(ccurl_easy *easy, enum ccurl_option option, const void *value) {
  return curl.easy_setopt(easy, (int)option, value);
}

int ccurl_set_list(ccurl_easy *easy, enum ccurl_option option, ccurl_list *value) {
  return curl.easy_setopt(easy, (int)option, value);
}

int ccurl_set_data_function(ccurl_easy *easy, enum ccurl_option option, ccurl_data_function value) {
  return curl.easy_setopt(easy, (int)option, value);
}

int ccurl_set_seek_function(ccurl_easy *easy, enum ccurl_option option, ccurl_seek_function value) {
  return curl.easy_setopt(easy, (int)option, value);
}

const char *ccurl_message(int result) { return curl.easy_strerror(result); }

ccurl_list *ccurl_list_with(ccurl_list *list, const char *text) { return curl.slist_append(list, text); }
void ccurl_list_free(ccurl_list *list) { curl.slist_free_all(list); }

ccurl_multi *ccurl_multi_new(void) { return curl.multi_init(); }
void ccurl_multi_free(ccurl_multi *multi) { curl.multi_cleanup(multi); }

int ccurl_multi_set_number(ccurl_multi *multi, enum ccurl_multi_option option, long value) {
  return curl.multi_setopt(multi, (int)option, value);
}

int ccurl_multi_add(ccurl_multi *multi, ccurl_easy *easy) { return curl.multi_add_handle(multi, easy); }
int ccurl_multi_remove(ccurl_multi *multi, ccurl_easy *easy) { return curl.multi_remove_handle(multi, easy); }

int ccurl_multi_perform(ccurl_multi *multi) {
  int running = 0;
  return curl.multi_perform(multi, &running);
}

int ccurl_multi_wait(ccurl_multi *multi, int descriptor, int milliseconds) {
  struct waited own = {.descriptor = descriptor, .events = waited_readable};
  return curl.multi_poll(multi, descriptor < 0 ? NULL : &own, descriptor < 0 ? 0 : 1, milliseconds, NULL);
}

const char *ccurl_multi_message(int result) { return curl.multi_strerror(result); }

ccurl_easy *ccurl_multi_ended(ccurl_multi *multi, int *result) {
  int left = 0;
  struct message *message;
  while ((message = curl.multi_info_read(multi, &left)) != NULL) {
    if (message->kind != message_ended) continue;
    *result = message->data.result;
    return message->easy;
  }
  return NULL;
}

ccurl_url *ccurl_url_new(void) { return curl.url(); }
void ccurl_url_free(ccurl_url *url) { curl.url_cleanup(url); }

int ccurl_url_set(ccurl_url *url, enum ccurl_url_part part, const char *text) {
  return curl.url_set(url, (int)part, text, 0);
}

char *ccurl_url_get(ccurl_url *url, enum ccurl_url_part part) {
  char *text = NULL;
  unsigned flags = part == CCURL_URL_PORT ? port_of_scheme : 0;
  return curl.url_get(url, (int)part, &text, flags) == 0 ? text : NULL;
}

void ccurl_text_free(char *text) { curl.free(text); }
