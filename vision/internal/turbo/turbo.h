typedef struct turbo_state turbo_state;

/* A decompressor, NULL if there is no memory for it. */
turbo_state *turbo_new(void);
void turbo_free(turbo_state *s);

/* Writes the pixels x0..x1, y0..y1 of a picture to out as RGB; 1 where libjpeg neither failed nor warned. */
int turbo_decode(turbo_state *s, const unsigned char *data, unsigned long size,
                 int x0, int y0, int x1, int y1, unsigned char *out);

/* As LIBJPEG_TURBO_VERSION_NUMBER: major*1000000 + minor*1000 + patch. */
int turbo_version(void);
