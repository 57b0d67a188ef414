#include "shim.h"

/* Places in OrtApi (onnxruntime_c_api.h). */
enum {
	GET_ERROR_MESSAGE = 2,
	RUN = 9,
	CREATE_TENSOR_WITH_DATA = 49,
	IS_TENSOR = 50,
	GET_TENSOR_MUTABLE_DATA = 51,
	GET_TENSOR_ELEMENT_TYPE = 60,
	GET_DIMENSIONS_COUNT = 61,
	GET_DIMENSIONS = 62,
	GET_TENSOR_TYPE_AND_SHAPE = 65,
	CREATE_CPU_MEMORY_INFO = 69,
	RELEASE_STATUS = 93,
	RELEASE_VALUE = 96,
	RELEASE_TENSOR_TYPE_AND_SHAPE = 99,
	GET_AVAILABLE_PROVIDERS = 125,
	RELEASE_AVAILABLE_PROVIDERS = 126,
	SET_DETERMINISTIC_COMPUTE = 273,
};

/* Arguments of CreateCpuMemoryInfo. */
enum { ARENA_ALLOCATOR = 1, MEM_TYPE_DEFAULT = 0 };

typedef struct {
	void *const *(*get_api)(uint32_t version);
	const char *(*get_version)(void);
} api_base;

static void *const *api;
static void *cpu_memory;

/* CALL(place, result type, argument types)(arguments) calls one function of the table. */
#define CALL(place, result, ...) ((result (*)(__VA_ARGS__))api[place])

static const api_base *base_of(void *entry) {
	return ((const api_base *(*)(void))entry)();
}

const char *graft_version(void *entry) {
	return base_of(entry)->get_version();
}

int graft_bind(void *entry, uint32_t api_version) {
	api = base_of(entry)->get_api(api_version);
	if (!api) return -1;
	void *status = CALL(CREATE_CPU_MEMORY_INFO, void *, int, int, void **)(ARENA_ALLOCATOR, MEM_TYPE_DEFAULT, &cpu_memory);
	if (!status) return 0;
	graft_free_status(status);
	return -1;
}

const char *graft_message(void *status) {
	return CALL(GET_ERROR_MESSAGE, const char *, void *)(status);
}

void graft_free_status(void *status) {
	CALL(RELEASE_STATUS, void, void *)(status);
}

void *graft_new_value(void *data, size_t bytes, const int64_t *shape, size_t rank, int type, void **value) {
	return CALL(CREATE_TENSOR_WITH_DATA, void *, void *, void *, size_t, const int64_t *, size_t, int, void **)(
		cpu_memory, data, bytes, shape, rank, type, value);
}

void graft_free_value(void *value) {
	CALL(RELEASE_VALUE, void, void *)(value);
}

void *graft_describe(void *value, int *type, size_t *rank, void **data) {
	int is_tensor = 0;
	void *info = NULL;
	*type = -1;
	void *status = CALL(IS_TENSOR, void *, void *, int *)(value, &is_tensor);
	if (status || !is_tensor) return status;
	status = CALL(GET_TENSOR_TYPE_AND_SHAPE, void *, void *, void **)(value, &info);
	if (status) return status;
	status = CALL(GET_TENSOR_ELEMENT_TYPE, void *, void *, int *)(info, type);
	if (!status) status = CALL(GET_DIMENSIONS_COUNT, void *, void *, size_t *)(info, rank);
	if (!status) status = CALL(GET_TENSOR_MUTABLE_DATA, void *, void *, void **)(value, data);
	CALL(RELEASE_TENSOR_TYPE_AND_SHAPE, void, void *)(info);
	return status;
}

void *graft_dims(void *value, int64_t *dims, size_t rank) {
	void *info = NULL;
	void *status = CALL(GET_TENSOR_TYPE_AND_SHAPE, void *, void *, void **)(value, &info);
	if (status) return status;
	status = CALL(GET_DIMENSIONS, void *, void *, int64_t *, size_t)(info, dims, rank);
	CALL(RELEASE_TENSOR_TYPE_AND_SHAPE, void, void *)(info);
	return status;
}

void *graft_run(void *session, void *options, const char *const *input_names, void *const *inputs, size_t input_count,
                const char *const *output_names, size_t output_count, void **outputs) {
	return CALL(RUN, void *, void *, void *, const char *const *, void *const *, size_t, const char *const *, size_t, void **)(
		session, options, input_names, inputs, input_count, output_names, output_count, outputs);
}

void *graft_providers(char ***names, int *count) {
	return CALL(GET_AVAILABLE_PROVIDERS, void *, char ***, int *)(names, count);
}

void graft_free_providers(char **names, int count) {
	void *status = CALL(RELEASE_AVAILABLE_PROVIDERS, void *, char **, int)(names, count);
	if (status) graft_free_status(status);
}

void *graft_deterministic(void *session_options) {
	return CALL(SET_DETERMINISTIC_COMPUTE, void *, void *, int)(session_options, 1);
}
