// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * edutest: DMA and interrupts of QEMU's "edu" device (docs/specs/edu.rst).
 *
 * Copies a pattern from memory to the device's buffer and back to another
 * place in memory, through the DMA API, each transfer ended by an MSI. Loading
 * succeeds if the driver bound; the result is in the log:
 *
 *   edutest: 0000:00:05.0: 16 round trips, 0 failures
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>

#define EDU_IRQ_STATUS 0x24
#define EDU_IRQ_ACK 0x64
#define EDU_DMA_SRC 0x80
#define EDU_DMA_DST 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_CMD 0x98
#define EDU_BUFFER 0x40000

#define CMD_START 1
#define CMD_TO_MEMORY 2
#define CMD_IRQ 4

#define SIZE 4096
#define ROUNDS 16

struct edu {
    void __iomem *bar;
    struct completion irq;
};

static irqreturn_t edu_irq(int irq, void *arg)
{
    struct edu *e = arg;
    u32 status = readl(e->bar + EDU_IRQ_STATUS);

    if (!status) {
        return IRQ_NONE;
    }
    writel(status, e->bar + EDU_IRQ_ACK);
    complete(&e->irq);
    return IRQ_HANDLED;
}

static bool edu_dma(struct edu *e, u64 src, u64 dst, u32 count, u32 direction)
{
    reinit_completion(&e->irq);
    writeq(src, e->bar + EDU_DMA_SRC);
    writeq(dst, e->bar + EDU_DMA_DST);
    writeq(count, e->bar + EDU_DMA_COUNT);
    writeq(CMD_START | CMD_IRQ | direction, e->bar + EDU_DMA_CMD);
    return wait_for_completion_timeout(&e->irq, 20 * HZ);
}

static uint edu_rounds(struct edu *e, u8 *buf, dma_addr_t dma)
{
    uint round, i, failures = 0;

    for (round = 0; round < ROUNDS; round++) {
        /* the device's buffer ends at its last byte: stay below it */
        u32 len = SIZE - 64 - round * 100;

        for (i = 0; i < SIZE; i++) {
            buf[i] = i * 3 + round;
            buf[SIZE + i] = 0x5a;
        }
        if (!edu_dma(e, dma, EDU_BUFFER, len, 0) ||
            !edu_dma(e, EDU_BUFFER, dma + SIZE, len, CMD_TO_MEMORY)) {
            failures++;
            continue;
        }
        if (memcmp(buf, buf + SIZE, len) || buf[SIZE + len] != 0x5a) {
            failures++;
        }
    }
    return failures;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
    struct edu *e;
    dma_addr_t dma;
    u8 *buf;
    int rc;

    e = devm_kzalloc(&pdev->dev, sizeof(*e), GFP_KERNEL);
    if (!e) {
        return -ENOMEM;
    }
    init_completion(&e->irq);
    rc = pcim_enable_device(pdev);
    if (rc) {
        return rc;
    }
    e->bar = pcim_iomap(pdev, 0, 0);
    if (!e->bar) {
        return -ENOMEM;
    }
    rc = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(28));
    if (rc) {
        return rc;
    }
    pci_set_master(pdev);
    rc = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
    if (rc < 0) {
        return rc;
    }
    rc = request_irq(pci_irq_vector(pdev, 0), edu_irq, 0, "edutest", e);
    if (rc) {
        goto vectors;
    }
    buf = dma_alloc_coherent(&pdev->dev, 2 * SIZE, &dma, GFP_KERNEL);
    if (!buf) {
        rc = -ENOMEM;
        goto irq;
    }
    pr_info("edutest: %s: %u round trips, %u failures\n", pci_name(pdev),
            ROUNDS, edu_rounds(e, buf, dma));
    dma_free_coherent(&pdev->dev, 2 * SIZE, buf, dma);
    pci_set_drvdata(pdev, e);
    return 0;
irq:
    free_irq(pci_irq_vector(pdev, 0), e);
vectors:
    pci_free_irq_vectors(pdev);
    return rc;
}

static void edu_remove(struct pci_dev *pdev)
{
    struct edu *e = pci_get_drvdata(pdev);

    free_irq(pci_irq_vector(pdev, 0), e);
    pci_free_irq_vectors(pdev);
}

static const struct pci_device_id edu_ids[] = {
    { PCI_DEVICE(0x1234, 0x11e8) },
    { }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
    .name = "edutest",
    .id_table = edu_ids,
    .probe = edu_probe,
    .remove = edu_remove,
};
module_pci_driver(edu_driver);
MODULE_DESCRIPTION("DMA test of the edu device");
MODULE_LICENSE("GPL");
