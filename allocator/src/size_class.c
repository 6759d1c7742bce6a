#include "size_class.h"

static const uint16_t tiny_sizes[TINY_CLASSES] = {8,   16,  32,  48,  64,  80,  96,
                                                  112, 128, 160, 192, 224, 256, 320,
                                                  384, 448, 512, 640, 768, 896, 1024};

struct size_class size_classes[CLASSES];
uint8_t size_class_tiny[TINY_MAX / 8 + 1];

/* A batch is 32 KiB, at most 64 blocks. */
static uint32_t batch_of(uint32_t size)
{
    uint32_t n = (32 << 10) / size;
    return n > 64 ? 64 : n;
}

void size_class_init(void)
{
    for (unsigned c = 0; c < CLASSES; c++) {
        struct size_class *k = &size_classes[c];
        k->size = tiny_sizes[c];
        k->units = 1;
        k->capacity = (uint32_t)(UNIT / k->size);
        k->batch = batch_of(k->size);
        k->magic = UINT64_MAX / k->size + 1;
    }
    for (unsigned i = 0, c = 0; i <= TINY_MAX / 8; i++) {
        while (size_classes[c].size < i * 8)
            c++;
        size_class_tiny[i] = (uint8_t)c;
    }
}
