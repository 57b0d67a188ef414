//go:build libjpeg

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "turbo.h"

struct turbo_state {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  jmp_buf back;
  unsigned char *row;
  size_t room;
};

static void fail(j_common_ptr info) {
  turbo_state *s = info->client_data;
  longjmp(s->back, 1);
}

static void silent(j_common_ptr info) { (void)info; }

/* A warning ends the attempt: what is wrong is then said in our own words. */
static void message(j_common_ptr info, int level) {
  if (level < 0) fail(info);
}

turbo_state *turbo_new(void) {
  turbo_state *s = calloc(1, sizeof *s);
  if (s == NULL) return NULL;
  s->info.err = jpeg_std_error(&s->errors);
  s->errors.error_exit = fail;
  s->errors.output_message = silent;
  s->errors.emit_message = message;
  s->info.client_data = s;
  if (setjmp(s->back)) {
    free(s);
    return NULL;
  }
  jpeg_create_decompress(&s->info);
  s->info.client_data = s;
  return s;
}

void turbo_free(turbo_state *s) {
  jpeg_destroy_decompress(&s->info);
  free(s->row);
  free(s);
}

static void skip(struct jpeg_decompress_struct *d, int rows) {
  while (rows > 0) {
    int n = jpeg_skip_scanlines(d, rows);
    if (n <= 0) return;
    rows -= n;
  }
}

int turbo_decode(turbo_state *s, const unsigned char *data, unsigned long size,
                 int x0, int y0, int x1, int y1, unsigned char *out) {
  struct jpeg_decompress_struct *d = &s->info;
  size_t row, width = 3 * (size_t)(x1 - x0);
  JDIMENSION left = 0;
  if (setjmp(s->back)) {
    jpeg_abort_decompress(d);
    d->src->next_input_byte = NULL;
    d->src->bytes_in_buffer = 0;
    return 0;
  }
  jpeg_mem_src(d, data, size);
  jpeg_read_header(d, TRUE);
  if (d->num_components != 1 && d->num_components != 3) fail((j_common_ptr)d);
  if (x1 > (int)d->image_width || y1 > (int)d->image_height) fail((j_common_ptr)d);
  d->out_color_space = JCS_RGB;
  d->dct_method = JDCT_ISLOW;
  d->do_fancy_upsampling = TRUE;
  jpeg_start_decompress(d);
  {
    /* One more block of the widest sampling on both sides keeps the smoothing between blocks as it is. */
    int margin = 2 * 8 * d->max_h_samp_factor;
    int from = x0 > margin ? x0 - margin : 0;
    int to = x1 + margin < (int)d->image_width ? x1 + margin : (int)d->image_width;
    JDIMENSION n = to - from;
    left = from;
    if (n < d->image_width) jpeg_crop_scanline(d, &left, &n);
  }
  row = 3 * (size_t)d->output_width;
  if (s->room < row) {
    unsigned char *p = realloc(s->row, row);
    if (p == NULL) fail((j_common_ptr)d);
    s->row = p;
    s->room = row;
  }
  skip(d, y0);
  for (int y = y0; y < y1; y++) {
    JSAMPROW rows[1] = {s->row};
    if (jpeg_read_scanlines(d, rows, 1) != 1) fail((j_common_ptr)d);
    memcpy(out, s->row + 3 * (size_t)(x0 - left), width);
    out += width;
  }
  if (y1 < (int)d->image_height) {
    /* Skipping to the end would not look at the data there: read the last row. */
    JSAMPROW rows[1] = {s->row};
    skip(d, (int)d->image_height - y1 - 1);
    if (jpeg_read_scanlines(d, rows, 1) != 1) fail((j_common_ptr)d);
  }
  jpeg_finish_decompress(d);
  d->src->next_input_byte = NULL;
  d->src->bytes_in_buffer = 0;
  return 1;
}

int turbo_version(void) { return LIBJPEG_TURBO_VERSION_NUMBER; }
