/* The few calls of ONNX Runtime's C API that onnxruntime_go does not offer, or offers only with a copy: running chosen
 * outputs, tensors of any rank and type over the caller's memory, looking at what the runtime allocated.
 *
 * OrtApi is a table of functions that only ever grows at its end, so a function is known by its place in it. A status is
 * NULL for success; any other must go through graft_message and graft_free_status. */
#ifndef GRAFT_ORT_SHIM_H
#define GRAFT_ORT_SHIM_H

#include <stddef.h>
#include <stdint.h>

/* The version of the library whose OrtGetApiBase is entry, without asking for an API. */
const char *graft_version(void *entry);

/* Binds the functions below to the library. 0, or -1 where it does not serve that API version. */
int graft_bind(void *entry, uint32_t api_version);

const char *graft_message(void *status);
void graft_free_status(void *status);

/* A tensor over data, which it neither copies nor owns; data must stay where it is until graft_free_value. */
void *graft_new_value(void *data, size_t bytes, const int64_t *shape, size_t rank, int type, void **value);
void graft_free_value(void *value);

/* What a value holds: type is -1 for anything but a tensor; data stays the value's. */
void *graft_describe(void *value, int *type, size_t *rank, void **data);
void *graft_dims(void *value, int64_t *dims, size_t rank);

/* Runs a session. outputs[i] NULL lets the runtime allocate it. options may be NULL. */
void *graft_run(void *session, void *options, const char *const *input_names, void *const *inputs, size_t input_count,
                const char *const *output_names, size_t output_count, void **outputs);

/* The execution providers compiled into the library. */
void *graft_providers(char ***names, int *count);
void graft_free_providers(char **names, int count);

/* Asks a session's kernels for the same bits from the same input, where they offer a choice. */
void *graft_deterministic(void *session_options);

#endif
